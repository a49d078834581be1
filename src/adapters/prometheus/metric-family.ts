import type { Count } from '../../core/count.js';
import type { Role } from '../../core/events/fleet-event.js';
import type { MonitorSnapshot } from '../../core/pipeline/load-monitor.js';
import type { FleetRanks } from '../../core/state/fleet-ranks.js';
import type { WorkerId } from '../../core/worker-id.js';
import type { Metric } from './metric-names.js';
import { MetricsOptionsError } from './metrics-errors.js';
import type { PoolMetrics } from './pool-metrics.js';

/** Where samples go: a page, or the values of a registry. */
export interface SampleSink {
  /** Whether it has enough for one turn: who writes the samples of many ranks in a row yields before the next. */
  readonly full: boolean;
  /** The samples that follow are of this metric, and carry these labels before its own. */
  begin(metric: Metric, labels: Readonly<Record<string, string>>): void;
  /** One sample, with the values of the metric's labels in their order. */
  sample(value: Count, first?: string, second?: string, third?: string): void;
}

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

/**
 * One metric and how its samples are made. The generator yields at every worker, and amid many ranks when the sink is
 * full, so that its reader may let others work.
 */
export interface Family {
  readonly metric: Metric;
  readonly samples: (pools: readonly PoolAtScrape[], sink: SampleSink) => Generator<void>;
}

/** One worker of one pool. */
export interface WorkerOfPool {
  readonly pool: PoolAtScrape;
  readonly ranks: FleetRanks;
  readonly worker: number;
  readonly workerId: WorkerId;
}

/** The workers of pools, one pool after the other. */
export function* eachWorker(pools: readonly PoolAtScrape[]): Generator<WorkerOfPool> {
  for (const pool of pools) {
    const { ranks } = pool;
    if (ranks === undefined) continue;
    for (let worker = 0; worker < ranks.end; worker += 1) {
      if (ranks.isPresent(worker)) yield { pool, ranks, worker, workerId: ranks.workerId(worker) };
    }
  }
}

/**
 * Tells whether the labels of a series are met for the first time, for series that say nothing of pools: a worker that
 * is in several is told by the first. With one pool none comes twice, and no key is made.
 */
export function firstSeenIn(
  pools: readonly PoolAtScrape[],
): (workerId: WorkerId, workerType: Role, dpRank?: string) => boolean {
  if (pools.length < 2) return () => true;
  const met = new Set<string>();
  return (workerId, workerType, dpRank = '') =>
    met.size < met.add(`${dpRank} ${workerType} ${workerId}`).size;
}
