import type { LoadPolicy, RollUp } from '../policy/load-policy.js';
import type { LoadThresholds } from '../policy/load-thresholds.js';
import { rankChecks } from './rank-checks.js';
import { type RankState, type RankStates, inRange } from './rank-state.js';

/**
 * Whether a worker is busy.
 *
 * 1. The judged ranks are those that have values. Under `ranksJudged: 'declared'` they are the ranks that the config
 *    declares, if there is a config; a silent declared rank is free.
 * 2. A rank is busy when at least one of its values is strictly above its limit: prefill tokens above the absolute
 *    threshold, prefill tokens above a fraction of the batch limit, or blocks above a fraction of the total blocks, which
 *    must be known and not 0.
 * 3. The worker is busy when as many judged ranks are busy as `rollUp` requires. Without a judged rank it is free.
 *
 * Source: the recorded decisions of Dynamo 0.8 to 1.6, and the cells of {@link policies}.
 *
 * @example
 * ```ts
 * import { isBusy, policies, LoadThresholdConfig } from 'tidemark';
 *
 * const thresholds = LoadThresholdConfig.defaults(policies.default).set({ activeDecodeBlocksThreshold: 0.85 });
 * const rank = (activeDecodeBlocks: number) => ({
 *   activeDecodeBlocks,
 *   activePrefillTokens: null,
 *   kvUsedBlocks: null,
 *   totalKvBlocks: 100,
 *   maxNumBatchedTokens: null,
 *   latch: null,
 * });
 * const worker = (blocks: number) => ({ declared: { start: 0, end: 1 }, ranks: new Map([[0, rank(blocks)]]) });
 * console.log(isBusy(worker(85), thresholds, policies.default), isBusy(worker(86), thresholds, policies.default));
 * // Logs: false true
 * ```
 *
 * @see {@link LoadPolicy}, {@link rankChecks}
 */
export function isBusy(states: RankStates, thresholds: LoadThresholds, policy: LoadPolicy): boolean {
  const judged = judgedRanks(states, policy);
  let busy = 0;
  for (const rank of judged.reported.values()) if (isRankBusy(rank, thresholds, policy)) busy += 1;
  return judged.count > 0 && busy >= neededRanks(policy.rollUp, judged.count);
}

/** Whether one rank is busy. */
export function isRankBusy(rank: RankState, thresholds: LoadThresholds, policy: LoadPolicy): boolean {
  return rankChecks(rank, thresholds, policy).some((result) => result.exceeded);
}

/** The ranks that count in a judgement: their number, and those of them that have values. */
export interface JudgedRanks {
  readonly count: number;
  readonly reported: ReadonlyMap<number, RankState>;
}

/** The ranks that a policy judges. A declared range is never expanded, so its size costs nothing. */
export function judgedRanks(states: RankStates, policy: LoadPolicy): JudgedRanks {
  const range = policy.ranksJudged === 'declared' ? states.declared : null;
  const reported = new Map<number, RankState>();
  for (const [rank, state] of states.ranks) {
    if (hasReported(state, policy) && (range === null || inRange(rank, range))) reported.set(rank, state);
  }
  return { count: range === null ? reported.size : range.end - range.start, reported };
}

/** The number of judged ranks that must be busy for the worker to be busy. */
export function neededRanks(rollUp: RollUp, judged: number): number {
  if (rollUp === 'all') return judged;
  return rollUp === 'any' ? 1 : Math.min(rollUp.atLeast, judged);
}

function hasReported(rank: RankState, policy: LoadPolicy): boolean {
  const used = policy.decodeSignal === 'active' ? null : (rank.kvUsedBlocks ?? rank.latch);
  return rank.activeDecodeBlocks !== null || rank.activePrefillTokens !== null || used !== null;
}
