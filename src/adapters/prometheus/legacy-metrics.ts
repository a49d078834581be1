import type { WorkerId } from '../../core/worker-id.js';

/** What the statistics of one worker say beyond its loads. */
export interface LegacyWorkerStats {
  readonly workerId: WorkerId;
  readonly requestActiveSlots?: number;
  readonly requestTotalSlots?: number;
  /** From 0 to 1. */
  readonly gpuPrefixCacheHitRate?: number;
}

/** How the metrics of Dynamo's old metrics component are made: its two labels, and what no load says. */
export interface LegacyMetrics {
  readonly component: string;
  readonly endpoint: string;
  /** The newest statistics of the workers, asked for at every page. Those of workers that are not there are left out. */
  readonly stats?: () => Iterable<LegacyWorkerStats>;
  /** What the hit-rate events amount to so far. */
  readonly hitRate?: () => { readonly islBlocks: number; readonly overlapBlocks: number };
}
