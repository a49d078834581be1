import type { WorkerId } from './worker-id.js';

/** The type label of a worker's metric series. */
export type WorkerType = 'decode' | 'prefill';

/**
 * The metric series to drop because a worker, or some of its ranks, left: those with this worker, one of these
 * ranks, and this type. A command; a sink performs it, and performing it twice is harmless.
 *
 * `dpRanks`: ascending; `"none"`, last, stands for the latency series without a rank. A card may declare more
 * ranks than anybody wants to list, so of each declared range only the first 4 096 are named; ranks that
 * reported are always named.
 */
export interface Cleanup {
  readonly workerId: WorkerId;
  readonly dpRanks: readonly (number | 'none')[];
  readonly workerType: WorkerType;
}
