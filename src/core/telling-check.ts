import type { CheckResult } from './rank-checks.js';
import type { RankVerdict } from './verdict.js';

/** The rank that shows best why a worker is busy or free: the first that is what the worker is. */
export function tellingRank(ranks: readonly RankVerdict[], busy: boolean): RankVerdict | undefined {
  return ranks.find((rank) => rank.busy === busy) ?? ranks[0];
}

/** The check that shows best why a rank is busy or free: the first that is exceeded, else the one with the least room. */
export function tellingCheck({ checks }: RankVerdict): CheckResult | undefined {
  const room = (check: CheckResult): number => Number(check.limit) - Number(check.value);
  return checks.find((check) => check.exceeded) ?? checks.toSorted((a, b) => room(a) - room(b))[0];
}
