import type { AggregatorPolicy } from './aggregator-policy.js';
import type { AggregatorState } from './aggregator-state.js';
import type { Endpoint } from './endpoint.js';
import { scrapeProblems } from './scrape-problems.js';

/** The workers that a complete scrape did without: who stays nevertheless, how often they were missed, what is said. */
export interface MissedWorkers extends Pick<AggregatorState, 'misses' | 'problems'> {
  readonly kept: readonly Endpoint[];
}

/**
 * Who was there before, and is not among those that a complete scrape found. Each is told when it is missed for the
 * first time, and all in one when nobody answered at all.
 */
export function missedWorkers(
  { endpoints, misses }: AggregatorState,
  present: readonly Endpoint[],
  replies: number,
  { missesUntilGone }: AggregatorPolicy,
): MissedWorkers {
  const here = new Set(present.map(({ workerId }) => workerId));
  const missed = [...endpoints.endpoints.values()]
    .filter(({ workerId }) => !here.has(workerId))
    .map((endpoint) => ({ endpoint, times: (misses.get(endpoint.workerId) ?? 0) + 1 }));
  const kept = missed.filter(({ times }) => times < missesUntilGone);
  const news = missed.filter(({ times }) => times === 1);
  const left = missesUntilGone - 1;
  const isSilent = replies === 0 && news.length > 0;
  return {
    kept: kept.map(({ endpoint }) => endpoint),
    misses: new Map(kept.map(({ endpoint, times }) => [endpoint.workerId, times])),
    problems: isSilent
      ? [scrapeProblems.nobody(news.length, left)]
      : news.map(({ endpoint }) => scrapeProblems.missed(endpoint.workerId, left)),
  };
}
