import type { Count } from './count.js';
import type { CheckExplanation, RankExplanation } from './explanation.js';
import { isRankBusy } from './is-busy.js';
import type { LoadPolicy } from './load-policy.js';
import type { LoadThresholds } from './load-thresholds.js';
import { rankChecks, type LoadCheck } from './rank-checks.js';
import type { RankState } from './rank-state.js';

/** Every check that the policy knows, on one rank: made, or why not. */
export function explainRank(
  rank: number,
  state: RankState,
  marks: LoadThresholds,
  policy: LoadPolicy,
): RankExplanation {
  const made = rankChecks(state, marks, policy);
  const checks = checksOf(policy).map((check): CheckExplanation => {
    const result = made.find((one) => one.check === check);
    if (result === undefined) return { ...missing(check, state, marks), limit: null, margin: null };
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
  return { rank, busy: isRankBusy(state, marks, policy), checks };
}

function checksOf(policy: LoadPolicy): LoadCheck[] {
  return [
    'activePrefillTokens',
    ...(policy.batchFractionCheck === 'present' ? ['activePrefillTokensFrac' as const] : []),
    ...(policy.decodeSignal === 'active' ? [] : ['kvUsedBlocks' as const]),
    'activeDecodeBlocks',
  ];
}

function missing(
  check: LoadCheck,
  state: RankState,
  marks: LoadThresholds,
): Pick<CheckExplanation, 'check' | 'standing' | 'value'> {
  const [mark, value]: [Count | null, Count | null] =
    check === 'activePrefillTokens'
      ? [marks.activePrefillTokensThreshold, state.activePrefillTokens]
      : check === 'activePrefillTokensFrac'
        ? [marks.activePrefillTokensThresholdFrac, state.activePrefillTokens]
        : [
            marks.activeDecodeBlocksThreshold,
            check === 'kvUsedBlocks' ? state.kvUsedBlocks : state.activeDecodeBlocks,
          ];
  const standing = mark === null ? 'no mark set' : value === null ? 'no data' : 'no capacity';
  return { check, standing, value };
}
