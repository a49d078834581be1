import type { Count } from './count.js';
import type { WorkerId } from './worker-id.js';

/**
 * What one rank of one worker reports about its load (Dynamo's `ActiveLoad`).
 *
 * `null` means "no value in this report": the value reported before stays. `0` is a value.
 */
export interface ActiveLoad {
  readonly workerId: WorkerId;
  /** The data-parallel rank, 0 to 2^32 − 1. */
  readonly dpRank: number;
  /** KV cache blocks of running sequences, by the router's or the worker's bookkeeping. */
  readonly activeDecodeBlocks: Count | null;
  /** Prompt tokens that wait for or are in prefill. */
  readonly activePrefillTokens: Count | null;
  /** KV cache blocks in use, by the engine's own statement. Workers send it since release 1.1. */
  readonly kvUsedBlocks: Count | null;
}
