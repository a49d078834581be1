import type { FleetRanks } from '../../core/fleet-ranks.js';
import type { MonitorSnapshot } from '../../core/load-monitor/load-monitor.js';
import { MetricsOptionsError } from './metrics-options-error.js';
import type { PoolMetrics } from './pool-metrics.js';

/** A pool as it was when the page was asked for: everything on one page is of one moment. */
export interface PoolAtScrape extends Pick<
  PoolMetrics,
  'labels' | 'account' | 'latencies' | 'legacy' | 'counts'
> {
  readonly snapshot: MonitorSnapshot | undefined;
  readonly now: number;
  readonly ranks: FleetRanks | undefined;
}

/**
 * The pools as they are now.
 *
 * @throws MetricsOptionsError when two of them have the same labels, as their series would be the same
 */
export function poolsAtScrape(pools: readonly PoolMetrics[]): PoolAtScrape[] {
  const seen = new Set<string>();
  const problems: string[] = [];
  for (const { labels } of pools) {
    const key = JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
    if (seen.has(key))
      problems.push(`two pools have the labels ${JSON.stringify(labels)}; give each its own, such as pool`);
    seen.add(key);
  }
  if (problems.length > 0) throw new MetricsOptionsError(problems);
  return pools.map(({ monitor, scheduler, labels, account, latencies, legacy, counts }) => ({
    labels,
    account,
    latencies,
    legacy,
    counts,
    snapshot: monitor.snapshot(),
    now: scheduler.now(),
    ranks: monitor.ranks(),
  }));
}
