import type { Count } from '../count.js';
import type { WorkerId } from '../worker-id.js';

/** The request slots of a worker. */
export interface WorkerStats {
  /** The data-parallel rank that reports, 0 to 2^32 − 1; `null` for a worker without ranks. */
  readonly dataParallelRank: number | null;
  readonly requestActiveSlots: Count;
  readonly requestTotalSlots: Count;
  readonly numRequestsWaiting: Count;
}

/** The KV cache of a worker. */
export interface KvStats {
  readonly kvActiveBlocks: Count;
  readonly kvTotalBlocks: Count;
  /** A fraction from 0 to 1, in single precision, since the original stores it as an `f32`. */
  readonly gpuCacheUsagePerc: number;
  /** A fraction from 0 to 1, in single precision. */
  readonly gpuPrefixCacheHitRate: number;
}

/** The counters of speculative decoding, each 0 to 2^32 − 1; `null` if the engine does not report it. */
export interface SpecDecodeStats {
  readonly numSpecTokens: number | null;
  readonly numDrafts: number | null;
  readonly numDraftTokens: number | null;
  readonly numAcceptedTokens: number | null;
  readonly numAcceptedTokensPerPos: readonly number[] | null;
}

/** What an engine reports when it is scraped (Dynamo's `ForwardPassMetrics`, up to 0.8). */
export interface ForwardPassMetrics {
  readonly workerStats: WorkerStats;
  readonly kvStats: KvStats;
  readonly specDecodeStats: SpecDecodeStats | null;
}

/** What a router expects of a worker that was not scraped. */
export interface PredictiveLoadMetrics {
  readonly kvActiveBlocks: Count;
}

/** The load of an endpoint: what its engine reports, or what a router expects. */
export type LoadMetrics =
  | { readonly engineLoadMetrics: ForwardPassMetrics }
  | { readonly predictiveLoadMetrics: PredictiveLoadMetrics };

/** The active blocks of a load, of either kind. */
export function kvActiveBlocks(load: LoadMetrics): Count {
  return 'engineLoadMetrics' in load
    ? load.engineLoadMetrics.kvStats.kvActiveBlocks
    : load.predictiveLoadMetrics.kvActiveBlocks;
}

/** The scraped endpoint of one worker, or of one of its data-parallel ranks (Dynamo's `Endpoint`). */
export interface Endpoint {
  readonly name: string;
  /** Its NATS subject, which ends with the worker's id. */
  readonly subject: string;
  readonly workerId: WorkerId;
  readonly data: LoadMetrics;
}
