import { merge, Observable } from 'rxjs';
import { familiesOf } from './families.js';
import { MetricNameTakenError } from './metric-name-taken-error.js';
import type { MetricsRegistry } from './metrics-registry.js';
import { poolsAtScrape, type PoolAtScrape } from './pool-at-scrape.js';
import type { PoolMetrics } from './pool-metrics.js';
import { RegistryMetric } from './registry-metric.js';

/**
 * While it is subscribed to, a registry of prom-client has the metrics of some pools besides its own.
 *
 * 1. They are read from the state when the registry is asked for its metrics, all at one moment: no `set` for an event,
 *    and no series of a worker that left. Counters count meanwhile ({@link PoolMetrics.counting$}).
 * 2. It never emits. It errors, before anything is registered, with a {@link MetricNameTakenError} when the registry
 *    holds one of the names, and with a {@link MetricsOptionsError} when two pools have the same labels.
 * 3. The registry is the one given, and no other. Unsubscribing takes the metrics out of it again.
 * 4. The three latency gauges belong to the registry's owner unless a pool has `latencies`; {@link workerGauges} fit the
 *    constructor of `Gauge`, {@link seriesCleanup} drops their series.
 *
 * A registry makes its page in one go: 80 000 series hold the event loop up for about 200 ms. {@link renderMetrics} is
 * for large fleets.
 *
 * | on | it does |
 * |---|---|
 * | subscribe | registers |
 * | unsubscribe | takes out what it registered |
 * | second subscription | errors: the names are taken |
 *
 * @example
 * ```ts
 * import { Gauge, Registry } from 'prom-client';
 * import { NEVER } from 'rxjs';
 * import { loadMonitor, performCleanup, policies } from 'tidemark';
 * import { poolMetrics, registryMetrics, seriesCleanup, workerGauges } from 'tidemark/prometheus';
 *
 * const registry = new Registry();
 * const latency = new Gauge({ ...workerGauges.lastTimeToFirstToken, registers: [registry] });
 * const monitor = loadMonitor({ loads: NEVER }, { policy: policies.default });
 * const collecting = registryMetrics(registry, [poolMetrics(monitor)]).subscribe();
 * monitor.cleanups$.pipe(performCleanup(seriesCleanup(registry))).subscribe();
 * const run = monitor.connect();
 * latency.set({ worker_id: '7', dp_rank: '0', worker_type: 'decode' }, 0.108);
 * console.log((await registry.metrics()).includes('tidemark_monitor_connected 1'));
 * collecting.unsubscribe();
 * run.unsubscribe();
 * // Logs: true
 * ```
 *
 * @see {@link poolMetrics}
 */
export function registryMetrics(registry: MetricsRegistry, pools: readonly PoolMetrics[]): Observable<never> {
  return new Observable((subscriber) => {
    let scrape: PoolAtScrape[] | undefined;
    // A registry asks all its metrics in one go: they answer of one moment.
    const scraped = (): PoolAtScrape[] => {
      if (scrape === undefined) queueMicrotask(() => (scrape = undefined));
      return (scrape ??= poolsAtScrape(pools));
    };
    const metrics = familiesOf(pools).map(
      ({ metric, samples }) => new RegistryMetric(metric, (sink) => samples(scraped(), sink)),
    );
    const names = metrics.map(({ name }) => name);
    const taken = names.filter((name) => registry.getSingleMetric(name) !== undefined);
    if (taken.length > 0) throw new MetricNameTakenError(taken);
    // Pools that cannot be told apart are refused now, not when somebody asks.
    poolsAtScrape(pools);
    for (const metric of metrics) registry.registerMetric(metric as never);
    const counting = merge(...pools.map(({ counting$ }) => counting$)).subscribe(subscriber);
    return () => {
      counting.unsubscribe();
      metrics.forEach((metric, index) => {
        const name = names[index] ?? '';
        if (registry.getSingleMetric(name) === metric) registry.removeSingleMetric(name);
      });
    };
  });
}
