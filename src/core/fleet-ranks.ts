import type { WorkerType } from './cleanup.js';
import type { Count } from './count.js';
import type { LoadPolicy } from './load-policy.js';
import type { LoadThresholdConfig } from './load-threshold-config.js';
import type { RankState } from './rank-state.js';
import type { WorkerId } from './worker-id.js';

/**
 * The workers that are there and what their ranks reported, all as it was at one moment: a copy that nothing changes,
 * to be read at leisure while events flow.
 *
 * 1. A worker is there when it is judged and discovery names it: an instance where there is a source of instances,
 *    else one with a card where there is a source of cards. A worker that left is not, whatever the policy remembers.
 * 2. Workers have numbers from 0 to `end` − 1, in no order; at some of these there is none ({@link isThere}). The ranks
 *    of a worker that reported are numbered from 0 to `rankCount` − 1, ascending. Other numbers mean nothing.
 * 3. Making it copies 64 bytes a worker and 28 a rank; reading it allocates nothing but what `state` returns.
 */
export interface FleetRanks {
  readonly end: number;
  readonly policy: LoadPolicy;
  readonly thresholds: LoadThresholdConfig;
  isThere(worker: number): boolean;
  workerId(worker: number): WorkerId;
  workerType(worker: number): WorkerType;
  isBusy(worker: number): boolean;
  /** Whether the request path marked it. */
  isMarked(worker: number): boolean;
  /** Since when a busy worker is busy, in milliseconds of the clock that drives the monitor. */
  busySince(worker: number): number;
  rankCount(worker: number): number;
  rank(worker: number, index: number): number;
  /** Whether a judged rank is above a mark that is in force. */
  isRankBusy(worker: number, index: number): boolean;
  activeDecodeBlocks(worker: number, index: number): Count | null;
  activePrefillTokens(worker: number, index: number): Count | null;
  kvUsedBlocks(worker: number, index: number): Count | null;
  totalKvBlocks(worker: number, index: number): Count | null;
  /**
   * How long ago its last load came, in milliseconds, by 16; 0 where the clocks disagree, at most a year. `null` when
   * that is not known: the source does not tell when its loads came.
   */
  age(worker: number, index: number, now: number): number | null;
  /** Everything that is known of a rank, as the checks read it. */
  state(worker: number, index: number): RankState;
}
