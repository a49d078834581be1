import { isRankBusy, judgedRanks, neededRanks } from './is-busy.js';
import type { LoadPolicy } from './load-policy.js';
import type { LoadThresholds } from './load-thresholds.js';
import { rankChecks, type LoadCheck } from './rank-checks.js';
import type { RankStates } from './rank-state.js';
import { tellingCheck, tellingRank } from './telling-check.js';
import type { RankVerdict, Verdict, VerdictReason } from './verdict.js';
import type { WorkerId } from './worker-id.js';

const checkNames = {
  activeDecodeBlocks: 'active decode blocks',
  kvUsedBlocks: 'used KV blocks',
  latch: 'blocks (held by the latch until both signals are back)',
  activePrefillTokens: 'prefill tokens',
  activePrefillTokensFrac: 'prefill tokens (fraction of the batch limit)',
} as const satisfies Record<LoadCheck, string>;

/**
 * Judges one worker and says why: {@link isBusy} with its working shown.
 *
 * `given` is what the verdict says beside the ranks: whether the worker counts as busy, for which reason, since
 * when.
 */
export function judge(
  workerId: WorkerId,
  states: RankStates,
  marks: LoadThresholds,
  policy: LoadPolicy,
  given: { readonly busy: boolean; readonly reason: VerdictReason; readonly since: number },
): Verdict {
  const judged = judgedRanks(states, policy);
  const ranks = [...judged.reported]
    .sort(([a], [b]) => a - b)
    .map(([rank, state]): RankVerdict => {
      const checks = rankChecks(state, marks, policy);
      return { rank, busy: isRankBusy(state, marks, policy), checks };
    });
  const busyRanks = ranks.filter((rank) => rank.busy).length;
  const needed = neededRanks(policy.rollUp, judged.count);
  const text = `worker ${workerId} is ${given.busy ? 'busy' : 'free'}: ${because(given.reason, ranks, judged.count, busyRanks, needed)}`;
  return { workerId, ...given, judgedRanks: judged.count, busyRanks, ranks, text };
}

function because(
  reason: VerdictReason,
  ranks: readonly RankVerdict[],
  judged: number,
  busyRanks: number,
  needed: number,
): string {
  if (reason === 'mark') return 'the request path marked it overloaded';
  if (reason === 'left') return 'it left the fleet';
  const ended = reason === 'unmarked' ? 'the mark of the request path ended; ' : '';
  if (judged === 0) return `${ended}no rank has reported`;
  const rankOf = `${busyRanks} of ${judged} ranks busy, ${needed} needed`;
  const telling = tellingRank(ranks, busyRanks >= needed);
  return `${ended}${telling === undefined ? 'no declared rank has reported' : sentence(telling)} (${rankOf})`;
}

function sentence(rank: RankVerdict): string {
  const telling = tellingCheck(rank);
  if (telling === undefined) return `rank ${rank.rank} has no mark to be above`;
  const relation = telling.check === 'latch' ? 'against' : telling.exceeded ? '>' : '≤';
  return `rank ${rank.rank} ${checkNames[telling.check]} ${telling.value} ${relation} ${shown(telling.limit)}`;
}

function shown(limit: number | bigint): string {
  return typeof limit === 'bigint' ? String(limit) : String(Number(limit.toFixed(3)));
}
