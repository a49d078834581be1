import type { Count } from '../count.js';

/** How full a worker is with requests. */
export interface WorkerStats {
  /** The data-parallel rank that reports, 0 to 2^32 − 1; `null` for a worker without ranks. */
  readonly dataParallelRank: number | null;
  readonly requestActiveSlots: Count;
  readonly requestTotalSlots: Count;
  readonly numRequestsWaiting: Count;
}

/** How full the KV cache of a worker is. */
export interface KvStats {
  readonly kvActiveBlocks: Count;
  readonly kvTotalBlocks: Count;
  /** A fraction from 0 to 1, in single precision: the original holds it as an `f32`. */
  readonly gpuCacheUsagePerc: number;
  /** A fraction from 0 to 1, in single precision. */
  readonly gpuPrefixCacheHitRate: number;
}

/** How speculative decoding fares; `null` where the engine does not say. All are 0 to 2^32 − 1. */
export interface SpecDecodeStats {
  readonly numSpecTokens: number | null;
  readonly numDrafts: number | null;
  readonly numDraftTokens: number | null;
  readonly numAcceptedTokens: number | null;
  readonly numAcceptedTokensPerPos: readonly number[] | null;
}

/** What an engine says of itself when it is scraped (Dynamo's `ForwardPassMetrics`, up to 0.8). */
export interface ForwardPassMetrics {
  readonly workerStats: WorkerStats;
  readonly kvStats: KvStats;
  readonly specDecodeStats: SpecDecodeStats | null;
}
