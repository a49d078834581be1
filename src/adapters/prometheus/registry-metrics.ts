import { Observable, merge } from 'rxjs';
import type { Count } from '../../core/count.js';
import { familiesOf } from './families.js';
import { type PoolAtScrape, type SampleSink, poolsAtScrape } from './metric-family.js';
import type { Metric } from './metric-names.js';
import { MetricNameTakenError } from './metrics-errors.js';
import type { PoolMetrics } from './pool-metrics.js';

/** What is used of a `Registry` of prom-client; any of its releases 15 fits. */
export interface MetricsRegistry {
  getSingleMetric(name: string): unknown;
  // Whatever prom-client takes here; ours speak its protocol.
  registerMetric(metric: never): void;
  removeSingleMetric(name: string): void;
}

/** One sample as prom-client has it. */
interface RegistryValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * A metric that speaks the protocol of prom-client's own: a registry asks it for its values when it is scraped. Nothing
 * is kept in between, so there is nothing to remove.
 */
export class RegistryMetric implements SampleSink {
  /** A registry of OpenMetrics takes the `_total` away here, and puts it behind the values. */
  name: string;
  readonly help: string;
  readonly type: Metric['type'];
  readonly aggregator = 'sum';
  /** A registry takes everything in one go. */
  readonly full = false;
  private fixed: Readonly<Record<string, string>> = {};
  private values: RegistryValue[] = [];

  constructor(
    private readonly metric: Metric,
    private readonly fill: (sink: SampleSink) => Generator<void>,
  ) {
    this.name = metric.name;
    this.help = metric.help;
    this.type = metric.type;
  }

  /** The values now; prom-client awaits what comes. */
  get(): Pick<RegistryMetric, 'name' | 'help' | 'type' | 'aggregator'> & { values: RegistryValue[] } {
    const values: RegistryValue[] = [];
    this.values = values;
    const making = this.fill(this);
    while (making.next().done !== true);
    this.values = [];
    const { name, help, type, aggregator } = this;
    return { name, help, type, aggregator, values };
  }

  /** What is read from the state cannot be reset. */
  reset(): void {}

  begin(_metric: Metric, labels: Readonly<Record<string, string>>): void {
    this.fixed = labels;
  }

  sample(value: Count, ...own: string[]): void {
    const labels: Record<string, string> = { ...this.fixed };
    this.metric.labelNames.forEach((name, index) => (labels[name] = own[index] ?? ''));
    this.values.push({ labels, value: Number(value) });
  }
}

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
