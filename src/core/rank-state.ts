import type { Count } from './count.js';
import type { DecodeLatch } from './decode-latch.js';
import type { RankRange } from './rank-range.js';

/** What is known of one rank: the last reported values and the capacities of the worker's card. `null`: not known. */
export interface RankState {
  readonly activeDecodeBlocks: Count | null;
  readonly activePrefillTokens: Count | null;
  readonly kvUsedBlocks: Count | null;
  readonly totalKvBlocks: Count | null;
  readonly maxNumBatchedTokens: Count | null;
  readonly latch: DecodeLatch | null;
}

/** The ranks of one worker: those it declared, if its card is known, and those that something is known of. */
export interface RankStates {
  readonly declared: RankRange | null;
  readonly ranks: ReadonlyMap<number, RankState>;
}
