import type { LoadPolicy } from '../policy/load-policy.js';
import type { LoadThresholds } from '../policy/load-thresholds.js';
import type { WorkerId } from '../worker-id.js';
import { isRankBusy, judgedRanks, neededRanks } from './is-busy.js';
import { type CheckResult, type LoadCheck, rankChecks } from './rank-checks.js';
import type { RankStates } from './rank-state.js';

/** The judgement on one rank that has values, with every check that could be made. */
export interface RankVerdict {
  readonly rank: number;
  readonly busy: boolean;
  readonly checks: readonly CheckResult[];
}

/**
 * Why a worker is busy or free: `load`, because of the values of its ranks; `overload-mark`, because it has an overload
 * mark; `overload-mark-ended`, because its overload mark ended; `left`, because it is no longer known.
 */
export type VerdictReason = 'load' | 'overload-mark' | 'overload-mark-ended' | 'left';

/** The judgement on one worker. */
export interface Verdict {
  readonly workerId: WorkerId;
  readonly busy: boolean;
  readonly reason: VerdictReason;
  /** When the worker became busy or free, in milliseconds of the clock that drives the reducer. */
  readonly since: number;
  /** The number of judged ranks, silent declared ones included. */
  readonly judgedRanks: number;
  readonly busyRanks: number;
  /** The judged ranks that have values, ascending. */
  readonly ranks: readonly RankVerdict[];
  /** The judgement as one sentence for people. */
  readonly text: string;
}

/** The rank that shows best why a worker is busy or free: the first one with the same state. */
export function decisiveRank(ranks: readonly RankVerdict[], busy: boolean): RankVerdict | undefined {
  return ranks.find((rank) => rank.busy === busy) ?? ranks[0];
}

/** The check that shows best why a rank is busy or free: the first exceeded one, else the one with the smallest margin. */
export function decisiveCheck({ checks }: RankVerdict): CheckResult | undefined {
  const margin = (check: CheckResult): number => Number(check.limit) - Number(check.value);
  return checks.find((check) => check.exceeded) ?? checks.toSorted((a, b) => margin(a) - margin(b))[0];
}

const checkNames = {
  activeDecodeBlocks: 'active decode blocks',
  kvUsedBlocks: 'used KV blocks',
  latch: 'blocks (held by the latch until both signals are back within the limit)',
  activePrefillTokens: 'prefill tokens',
  activePrefillTokensFrac: 'prefill tokens (fraction of the batch limit)',
} as const satisfies Record<LoadCheck, string>;

/**
 * Judges one worker as {@link isBusy} does, and says why.
 *
 * @param given what the ranks do not tell: whether the worker counts as busy, for which reason, and since when
 */
export function judge(
  workerId: WorkerId,
  states: RankStates,
  thresholds: LoadThresholds,
  policy: LoadPolicy,
  given: { readonly busy: boolean; readonly reason: VerdictReason; readonly since: number },
): Verdict {
  const judged = judgedRanks(states, policy);
  const ranks = [...judged.reported]
    .sort(([a], [b]) => a - b)
    .map(([rank, state]): RankVerdict => {
      const checks = rankChecks(state, thresholds, policy);
      return { rank, busy: isRankBusy(state, thresholds, policy), checks };
    });
  const busyRanks = ranks.filter((rank) => rank.busy).length;
  const needed = neededRanks(policy.rollUp, judged.count);
  const text = `worker ${workerId} is ${given.busy ? 'busy' : 'free'}: ${reasonText(given.reason, ranks, judged.count, busyRanks, needed)}`;
  return { workerId, ...given, judgedRanks: judged.count, busyRanks, ranks, text };
}

function reasonText(
  reason: VerdictReason,
  ranks: readonly RankVerdict[],
  judged: number,
  busyRanks: number,
  needed: number,
): string {
  if (reason === 'overload-mark') return 'it has an overload mark';
  if (reason === 'left') return 'it left the fleet';
  const ended = reason === 'overload-mark-ended' ? 'its overload mark ended; ' : '';
  if (judged === 0) return `${ended}no rank has reported a load`;
  const rankOf = `${busyRanks} of ${judged} ranks busy, ${needed} needed`;
  const decisive = decisiveRank(ranks, busyRanks >= needed);
  return `${ended}${decisive === undefined ? 'no declared rank has reported a load' : checkText(decisive)} (${rankOf})`;
}

function checkText(rank: RankVerdict): string {
  const decisive = decisiveCheck(rank);
  if (decisive === undefined) return `rank ${rank.rank} cannot be compared with any threshold`;
  const relation = decisive.check === 'latch' ? 'against' : decisive.exceeded ? '>' : '≤';
  return `rank ${rank.rank} ${checkNames[decisive.check]} ${decisive.value} ${relation} ${limitText(decisive.limit)}`;
}

function limitText(limit: number | bigint): string {
  return typeof limit === 'bigint' ? String(limit) : String(Number(limit.toFixed(3)));
}
