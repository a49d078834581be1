import type { Count } from '../count.js';
import { jsonReady } from '../ordinary-value.js';
import type { LoadPolicy } from '../policy/load-policy.js';
import type { LoadThresholds } from '../policy/load-thresholds.js';
import type { WorkerId } from '../worker-id.js';
import { isRankBusy } from './is-busy.js';
import { type LoadCheck, rankChecks } from './rank-checks.js';
import type { RankState } from './rank-state.js';
import type { UnknownReason, WorkerState } from './worker-state.js';

/**
 * The result of one check of one rank, or the reason why the check could not be made: no threshold is set, the rank has
 * no such value, or the worker's config has no capacity to compare with.
 */
export interface CheckExplanation {
  readonly check: LoadCheck;
  readonly standing: 'above' | 'within' | 'no threshold set' | 'no data' | 'no capacity';
  readonly value: Count | null;
  readonly limit: Count | null;
  /** The distance to the limit: limit − value, negative when above. `null` when the check could not be made. */
  readonly margin: number | null;
}

/** The explanation of one rank that has values. */
export interface RankExplanation {
  readonly rank: number;
  readonly busy: boolean;
  readonly checks: readonly CheckExplanation[];
}

/** Why a worker has its state now. */
export interface Explanation {
  readonly workerId: WorkerId;
  readonly busy: boolean;
  readonly state: WorkerState;
  /** Why no judgement is possible; `null` unless the worker is unknown. */
  readonly unknownReason: UnknownReason | null;
  /** Whether the worker is judged: discovery knows it, as far as the policy requires that. */
  readonly known: boolean;
  /** Whether it has an overload mark. */
  readonly overloadMarked: boolean;
  /** When its state began, in milliseconds of the clock that drives the reducer; `null` when it has always had it. */
  readonly since: number | null;
  readonly judgedRanks: number;
  readonly busyRanks: number;
  /** The number of ranks that must be busy for the worker to be busy. */
  readonly neededRanks: number;
  /** The number of declared ranks without values. They are never busy. */
  readonly silentRanks: number;
  readonly ranks: readonly RankExplanation[];
  /** The explanation for people, one sentence per line. */
  readonly text: string;
}

/** Every check of the policy on one rank: its result, or why it could not be made. */
export function explainRank(
  rank: number,
  state: RankState,
  thresholds: LoadThresholds,
  policy: LoadPolicy,
): RankExplanation {
  const made = rankChecks(state, thresholds, policy);
  const checks = checksOf(policy).map((check): CheckExplanation => {
    const result = made.find((candidate) => candidate.check === check);
    if (result === undefined)
      return jsonReady({ ...describeSkippedCheck(check, state, thresholds), limit: null, margin: null });
    const { value, limit, exceeded } = result;
    return jsonReady({
      check,
      standing: exceeded ? 'above' : 'within',
      value,
      limit,
      margin: Number(limit) - Number(value),
    });
  });
  const latch = made.find(({ check }) => check === 'latch');
  if (latch !== undefined) {
    const { value, limit } = latch;
    checks.push(jsonReady({ check: 'latch', standing: 'above', value, limit, margin: null }));
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
