import type { LoadPolicy } from '../policy/load-policy.js';
import type { LoadThresholds } from '../policy/load-thresholds.js';
import type { WorkerId } from '../worker-id.js';
import { isRankBusy, judgedRanks, neededRanks } from './is-busy.js';
import { type CheckResult, type LoadCheck, rankChecks } from './rank-checks.js';
import type { RankStates } from './rank-state.js';
import type { WorkerState } from './worker-state.js';

/** The judgement on one rank that has values, with every check that could be made. */
export interface RankVerdict {
  readonly rank: number;
  readonly busy: boolean;
  readonly checks: readonly CheckResult[];
}

/**
 * Why a worker has its state: `load`, because of the values of its ranks; `overload-mark`, because it has an overload
 * mark; `overload-mark-ended`, because its overload mark ended; `left`, because it is no longer known.
 */
export type VerdictReason = 'load' | 'overload-mark' | 'overload-mark-ended' | 'left';

/** The judgement on one worker. */
export interface Verdict {
  readonly workerId: WorkerId;
  readonly busy: boolean;
  readonly state: WorkerState;
  readonly reason: VerdictReason;
  /** When the state began, in milliseconds of the clock that drives the reducer. */
  readonly since: number;
  /** The number of judged ranks, silent declared ones included. */
  readonly judgedRanks: number;
  readonly busyRanks: number;
  /** The judged ranks that have values, ascending. */
  readonly ranks: readonly RankVerdict[];
  /** The judgement as one sentence for people. */
  readonly text: string;
}

/** The rank that shows best why a worker is busy or not: the first one that is the same. */
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
 * Says why a worker has its state, with the checks of {@link isBusy}.
 *
 * @param given what the ranks do not tell: the state of the worker, for which reason, and since when
 */
export function judge(
  workerId: WorkerId,
  states: RankStates,
  thresholds: LoadThresholds,
  policy: LoadPolicy,
  given: { readonly state: WorkerState; readonly reason: VerdictReason; readonly since: number },
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
  const text = `worker ${workerId} is ${given.state}: ${reasonText(given, ranks, judged.count, needed)}`;
  const busy = given.state === 'busy';
  return { workerId, busy, ...given, judgedRanks: judged.count, busyRanks, ranks, text };
}

function reasonText(
  { state, reason }: { readonly state: WorkerState; readonly reason: VerdictReason },
  ranks: readonly RankVerdict[],
  judged: number,
  needed: number,
): string {
  if (reason === 'overload-mark') return 'it has an overload mark';
  if (reason === 'left') return 'it left the fleet';
  const ended = reason === 'overload-mark-ended' ? 'its overload mark ended; ' : '';
  if (judged === 0) return `${ended}no rank has reported a load`;
  const busyRanks = ranks.filter((rank) => rank.busy).length;
  const rankOf = `${busyRanks} of ${judged} ranks busy, ${needed} needed`;
  return `${ended}${decisiveText(state, ranks, judged, busyRanks >= needed)} (${rankOf})`;
}

function decisiveText(
  state: WorkerState,
  ranks: readonly RankVerdict[],
  judged: number,
  isAbove: boolean,
): string {
  const decisive =
    state === 'unknown' ? ranks.find(({ checks }) => checks.length === 0) : decisiveRank(ranks, isAbove);
  if (decisive !== undefined) return checkText(decisive);
  return ranks.length === 0
    ? 'no declared rank has reported a load'
    : `${judged - ranks.length} declared ranks have reported no load`;
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
