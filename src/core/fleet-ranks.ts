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
 * 2. Workers are numbered from 0 to `size` − 1, in no order; the ranks of each that reported, ascending, from 0 to
 *    `rankCount` − 1. Other numbers give what means nothing.
 * 3. Making it copies 64 bytes a worker and 28 a rank; reading it allocates nothing but what `state` returns.
 */
export interface FleetRanks {
  readonly size: number;
  readonly policy: LoadPolicy;
  readonly thresholds: LoadThresholdConfig;
  workerId(worker: number): WorkerId;
  workerType(worker: number): WorkerType;
  isBusy(worker: number): boolean;
  /** Whether the request path marked it. */
  isMarked(worker: number): boolean;
  /** Since when a busy worker is busy, in milliseconds of the clock that drives the monitor. */
  busySince(worker: number): number;
  rankCount(worker: number): number;
  rank(worker: number, index: number): number;
  activeDecodeBlocks(worker: number, index: number): Count | null;
  activePrefillTokens(worker: number, index: number): Count | null;
  kvUsedBlocks(worker: number, index: number): Count | null;
  totalKvBlocks(worker: number, index: number): Count | null;
  /** Everything that is known of a rank, as the checks read it. */
  state(worker: number, index: number): RankState;
}
