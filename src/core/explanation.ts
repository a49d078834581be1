import type { Count } from './count.js';
import type { LoadCheck } from './rank-checks.js';
import type { WorkerId } from './worker-id.js';

/**
 * How one check of one rank stands: above its limit or within it, or why it could not be made: no mark is set, the
 * rank reported no such value, or the worker's card gives no capacity to compare with.
 */
export interface CheckExplanation {
  readonly check: LoadCheck;
  readonly standing: 'above' | 'within' | 'no mark set' | 'no data' | 'no capacity';
  readonly value: Count | null;
  readonly limit: Count | null;
  /** How much room is left: limit − value, negative when above. `null` where there is nothing to subtract. */
  readonly margin: number | null;
}

/** How one rank that reported stands. */
export interface RankExplanation {
  readonly rank: number;
  readonly busy: boolean;
  readonly checks: readonly CheckExplanation[];
}

/** Why a worker is busy or free at this moment. */
export interface Explanation {
  readonly workerId: WorkerId;
  readonly busy: boolean;
  /** Whether it is judged at all: discovery knows it as the policy asks. */
  readonly known: boolean;
  readonly marked: boolean;
  /** Since when it is busy, in milliseconds of the clock that drives the reducer; `null` when it is free. */
  readonly since: number | null;
  readonly judgedRanks: number;
  readonly busyRanks: number;
  /** How many ranks must be busy for the worker to be. */
  readonly neededRanks: number;
  /** Declared ranks that reported nothing; they count as free. */
  readonly silentRanks: number;
  readonly ranks: readonly RankExplanation[];
  /** The whole as sentences for people, a line each. */
  readonly text: string;
}
