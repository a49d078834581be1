import type { Count } from '../../core/count.js';
import type { Role } from '../../core/events/fleet-event.js';
import type { MonitorSnapshot } from '../../core/pipeline/load-monitor.js';
import type { FleetRanks } from '../../core/state/fleet-ranks.js';
import type { WorkerId } from '../../core/worker-id.js';
import { wallOffset } from '../clock/wall-time.js';
import type { Metric } from './metric-names.js';
import { MetricsOptionsError } from './metrics-errors.js';
import type { PoolMetrics } from './pool-metrics.js';

/** Receives samples: a page, or a metric of a registry. */
export interface SampleSink {
  /** Whether the sink has enough samples for one turn: a writer of many ranks should yield. */
  readonly full: boolean;
  /** Begins the samples of a metric, which have these labels before those of the metric. */
  begin(metric: Metric, labels: Readonly<Record<string, string>>): void;
  /** Adds a sample, with the values of the labels of the metric in order. */
  sample(value: Count, first?: string, second?: string, third?: string): void;
}

/** A pool at the moment of a scrape, so that everything on a page is consistent. */
export interface PoolAtScrape extends Pick<
  PoolMetrics,
  'labels' | 'account' | 'latencies' | 'legacy' | 'counts'
> {
  readonly snapshot: MonitorSnapshot | undefined;
  /** The time of the monitor's clock. */
  readonly now: number;
  /** What to add to a time of the monitor's clock to get the wall-clock time. */
  readonly wallOffset: number;
  readonly ranks: FleetRanks | undefined;
}

/**
 * Captures the current state of pools.
 *
 * @throws MetricsOptionsError if two pools have the same labels, because their series would be the same
 */
export function poolsAtScrape(pools: readonly PoolMetrics[]): PoolAtScrape[] {
  const seen = new Set<string>();
  const problems: string[] = [];
  for (const { labels } of pools) {
    const key = JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
    if (seen.has(key))
      problems.push(
        `two pools have the labels ${JSON.stringify(labels)}: give each pool different labels, such as pool`,
      );
    seen.add(key);
  }
  if (problems.length > 0) throw new MetricsOptionsError(problems);
  return pools.map(({ monitor, labels, account, latencies, legacy, counts }) => ({
    labels,
    account,
    latencies,
    legacy,
    counts,
    snapshot: monitor.snapshot(),
    now: monitor.now(),
    wallOffset: wallOffset(monitor),
    ranks: monitor.ranks(),
  }));
}

/**
 * One metric and the generator of its samples. It yields after every worker, and between ranks when the sink is full, so
 * that other callbacks can run in between.
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
 * Returns a function that reports whether it sees the labels of a series for the first time. It is needed for series
 * without pool labels: a worker in several pools counts only in the first one. With one pool it is always true.
 */
export function firstSeenIn(
  pools: readonly PoolAtScrape[],
): (workerId: WorkerId, workerType: Role, dpRank?: string) => boolean {
  if (pools.length < 2) return () => true;
  const met = new Set<string>();
  return (workerId, workerType, dpRank = '') =>
    met.size < met.add(`${dpRank} ${workerType} ${workerId}`).size;
}
