import { ignoreElements, merge, repeat, share, tap, type Observable, type SchedulerLike } from 'rxjs';
import type { LoadMonitor } from '../../core/load-monitor/load-monitor.js';
import type { LoadAccount } from '../../wire/load-account.js';
import { monotonicScheduler } from '../clock/monotonic-scheduler.js';
import { MonitorCounts } from './monitor-counts.js';
import type { LegacyMetrics } from './legacy-metrics.js';
import { poolLabels } from './pool-labels.js';
import type { WorkerLatencies } from './worker-latencies.js';

/** What besides its monitor a pool's metrics are made of. */
export interface PoolMetricsOptions {
  /** Labels of all metrics that are ours, such as `pool` or `model`. Pools on one page must differ in them. */
  readonly labels?: Readonly<Record<string, string>>;
  /** What came over NATS and what did not: `accounting$` of `natsLoads` or `dynamoSources`. */
  readonly accounting$?: Observable<{ readonly account: LoadAccount }>;
  /** The latencies that the request path observed. Absent: their three gauges are somebody else's. */
  readonly latencies?: WorkerLatencies;
  /** The clock that drives the monitor; that of `tidemark/clock` when absent. */
  readonly scheduler?: SchedulerLike;
  /** Makes the metrics of Dynamo's old metrics component too. */
  readonly legacy?: LegacyMetrics;
}

/** The metrics of one pool. See {@link poolMetrics}. */
export interface PoolMetrics {
  readonly monitor: LoadMonitor;
  readonly labels: Readonly<Record<string, string>>;
  /** Counts as long as it is subscribed to; it never emits and never errors. Several subscriptions count once. */
  readonly counting$: Observable<never>;
  /** What was counted so far; `undefined` before the first subscription to `counting$`. */
  readonly counts: MonitorCounts | undefined;
  /** The account that came last. */
  readonly account: LoadAccount | undefined;
  readonly scheduler: SchedulerLike;
  readonly latencies: WorkerLatencies | undefined;
  readonly legacy: LegacyMetrics | undefined;
}

/**
 * The metrics of one pool, to be rendered by {@link renderMetrics} or collected by {@link registryMetrics}.
 *
 * 1. Gauges are read from the monitor's state when the page is made, so a worker that left has no series.
 * 2. What only grows (transitions, problems, messages that did not come) has to be counted as it comes: while
 *    `counting$` is subscribed to, over the ends and new beginnings of the monitor. Before the first subscription the
 *    page has no such series. {@link registryMetrics} subscribes by itself.
 *
 * @throws MetricsOptionsError for labels that Prometheus would refuse or that our metrics use.
 *
 * @example
 * ```ts
 * import { concat, NEVER, of } from 'rxjs';
 * import { loadMonitor, policies, workerId } from 'tidemark';
 * import { poolMetrics, renderMetrics } from 'tidemark/prometheus';
 *
 * const load = { workerId: workerId('7'), dpRank: 0, activeDecodeBlocks: 90, activePrefillTokens: null, kvUsedBlocks: null };
 * const monitor = loadMonitor({ loads: concat(of(load), NEVER) }, { policy: policies.default });
 * const metrics = poolMetrics(monitor, { labels: { pool: 'llama' } });
 * metrics.counting$.subscribe();
 * monitor.connect();
 * let page = '';
 * for await (const chunk of renderMetrics([metrics])) page += Buffer.from(chunk).toString();
 * console.log(page.split('\n').find((line) => line.startsWith('dynamo_')));
 * // Logs: dynamo_frontend_worker_active_decode_blocks{dp_rank="0",worker_id="7",worker_type="decode"} 90
 * ```
 *
 * @see {@link seriesCleanup}
 */
export function poolMetrics(monitor: LoadMonitor, options: PoolMetricsOptions = {}): PoolMetrics {
  const { accounting$, latencies, legacy, scheduler = monotonicScheduler } = options;
  const labels = poolLabels(options.labels ?? {});
  let counts: MonitorCounts | undefined;
  let account: LoadAccount | undefined;
  // A monitor that was stopped may be connected again: whoever subscribes to it meanwhile waits.
  const steps$ = monitor.steps$.pipe(
    tap({ subscribe: () => (counts ??= new MonitorCounts()), next: (step) => counts?.count(step) }),
    repeat(),
  );
  const accounts$ = accounting$?.pipe(tap((report) => (account = report.account)));
  return {
    monitor,
    labels,
    counting$: (accounts$ === undefined ? steps$ : merge(steps$, accounts$)).pipe(ignoreElements(), share()),
    get counts() {
      return counts;
    },
    get account() {
      return account;
    },
    scheduler,
    latencies,
    legacy,
  };
}
