import type { Count } from '../count.js';
import type { LoadPolicy } from '../policy/load-policy.js';
import type { LoadThresholds } from '../policy/load-thresholds.js';
import type { WorkerId } from '../worker-id.js';
import { isRankBusy } from './is-busy.js';
import { type LoadCheck, rankChecks } from './rank-checks.js';
import type { RankState } from './rank-state.js';

/**
 * How one check of one rank stands: above its limit or within it, or why it could not be made: no mark is set, the
 * rank reported no such value, or the worker's card gives no capacity to compare with.
 */
export interface CheckExplanation {
  readonly check: LoadCheck;
  readonly standing: 'above' | 'within' | 'no threshold set' | 'no data' | 'no capacity';
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
  readonly overloadMarked: boolean;
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

/** Every check that the policy knows, on one rank: made, or why not. */
export function explainRank(
  rank: number,
  state: RankState,
  thresholds: LoadThresholds,
  policy: LoadPolicy,
): RankExplanation {
  const made = rankChecks(state, thresholds, policy);
  const checks = checksOf(policy).map((check): CheckExplanation => {
    const result = made.find((one) => one.check === check);
    if (result === undefined)
      return { ...describeSkippedCheck(check, state, thresholds), limit: null, margin: null };
    const { value, limit, exceeded } = result;
    return {
      check,
      standing: exceeded ? 'above' : 'within',
      value,
      limit,
      margin: Number(limit) - Number(value),
    };
  });
  const latch = made.find((one) => one.check === 'latch');
  if (latch !== undefined) {
    checks.push({ check: 'latch', standing: 'above', value: latch.value, limit: latch.limit, margin: null });
  }
  return { rank, busy: isRankBusy(state, thresholds, policy), checks };
}

function checksOf(policy: LoadPolicy): LoadCheck[] {
  return [
    'activePrefillTokens',
    ...(policy.batchFractionCheck === 'present' ? ['activePrefillTokensFrac' as const] : []),
    ...(policy.decodeSignal === 'active' ? [] : ['kvUsedBlocks' as const]),
    'activeDecodeBlocks',
  ];
}

function describeSkippedCheck(
  check: LoadCheck,
  state: RankState,
  thresholds: LoadThresholds,
): Pick<CheckExplanation, 'check' | 'standing' | 'value'> {
  const [threshold, value]: [Count | null, Count | null] =
    check === 'activePrefillTokens'
      ? [thresholds.activePrefillTokensThreshold, state.activePrefillTokens]
      : check === 'activePrefillTokensFrac'
        ? [thresholds.activePrefillTokensThresholdFrac, state.activePrefillTokens]
        : [
            thresholds.activeDecodeBlocksThreshold,
            check === 'kvUsedBlocks' ? state.kvUsedBlocks : state.activeDecodeBlocks,
          ];
  const standing = threshold === null ? 'no threshold set' : value === null ? 'no data' : 'no capacity';
  return { check, standing, value };
}
