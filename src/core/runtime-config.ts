import type { Count } from './count.js';

/**
 * What the model card of a worker says about its size. A field that is absent is not known.
 *
 * `dataParallelStartRank` counts as 0 and `dataParallelSize` as 1 when absent.
 */
export interface RuntimeConfig {
  /** KV cache blocks of each rank. */
  readonly totalKvBlocks?: Count;
  /** Tokens that one engine step takes at most, for each rank. */
  readonly maxNumBatchedTokens?: Count;
  /** The first data-parallel rank, 0 to 2^32 − 1. */
  readonly dataParallelStartRank?: number;
  /** How many ranks the worker has, 0 to 2^32 − 1. With 0 its ranks are known: there are none. */
  readonly dataParallelSize?: number;
}
