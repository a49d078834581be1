import type { AggregatorPolicy } from './aggregator-policy.js';
import type { Endpoint } from './load-metrics.js';

/** The data-parallel rank of an entry. A worker without ranks has rank 0, as in its loads. */
export function rankOf({ data }: Endpoint): number {
  return 'engineLoadMetrics' in data ? (data.engineLoadMetrics.workerStats.dataParallelRank ?? 0) : 0;
}

/** Identifies what an entry is about: a worker, or a rank of it. Rank 0 has the key of its worker, which costs no text. */
export function entryKey(entry: Endpoint, entries: AggregatorPolicy['entries']): string {
  const rank = entries === 'last-of-rank' ? rankOf(entry) : 0;
  return rank === 0 ? entry.workerId : `${entry.workerId}/${rank}`;
}

/** The entries that a policy uses, by their keys: the last one of each key. */
export function lastEntries(
  list: readonly Endpoint[],
  entries: AggregatorPolicy['entries'],
): ReadonlyMap<string, Endpoint> {
  return new Map(list.map((entry) => [entryKey(entry, entries), entry]));
}
