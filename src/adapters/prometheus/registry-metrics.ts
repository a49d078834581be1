import { Observable, merge } from 'rxjs';
import type { Count } from '../../core/count.js';
import { familiesOf } from './families.js';
import { type PoolAtScrape, type SampleSink, poolsAtScrape } from './metric-family.js';
import type { Metric } from './metric-names.js';
import { MetricNameTakenError } from './metrics-errors.js';
import type { PoolMetrics } from './pool-metrics.js';

/** The methods of a prom-client `Registry` that tidemark uses, in the releases 13 to 15. */
export interface MetricsRegistry {
  getSingleMetric(name: string): unknown;
  // The parameter type of prom-client is unknown here; the metrics follow its protocol.
  registerMetric(metric: never): void;
  removeSingleMetric(name: string): void;
}

/** One sample in the form of prom-client. */
interface RegistryValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * A metric with the protocol of prom-client's metrics: a registry reads its values when it is scraped. It stores no values
 * in between, so there is nothing to remove.
 */
class RegistryMetric implements SampleSink {
  /** An OpenMetrics registry removes the suffix `_total` here and adds it to the samples. */
  name: string;
  readonly help: string;
  readonly type: Metric['type'];
  readonly aggregator = 'sum';
  /** A registry reads all samples synchronously. */
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

  /** The current values. prom-client awaits the result. */
  get(): Pick<RegistryMetric, 'name' | 'help' | 'type' | 'aggregator'> & { values: RegistryValue[] } {
    const values: RegistryValue[] = [];
    this.values = values;
    const samples = this.fill(this);
    while (samples.next().done !== true);
    this.values = [];
    const { name, help, type, aggregator } = this;
    return { name, help, type, aggregator, values };
  }

  /** Does nothing, because the values are read from the state. */
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
 * Adds the metrics of pools to a prom-client registry while it is subscribed to.
 *
 * 1. The values are read from the state, all at one moment, when the registry is scraped. So there is no `set` per event,
 *    and a worker that left has no series. Counters count while subscribed ({@link PoolMetrics.counting$}).
 * 2. It never emits. Before it registers anything, it errors with a {@link MetricNameTakenError} if the registry already
 *    contains one of the names, and with a {@link MetricsOptionsError} if two pools have the same labels.
 * 3. It uses only the given registry. Unsubscribing removes the metrics from it.
 * 4. The three latency gauges belong to the owner of the registry unless a pool has `latencies`. The constructor of
 *    `Gauge` accepts {@link workerGauges}, and {@link seriesCleanup} removes their series.
 *
 * A registry renders its page synchronously: 80 000 series block the event loop for about 200 ms. For large fleets use
 * {@link renderMetrics}.
 *
 * | on | effect |
 * |---|---|
 * | subscribe | registers the metrics |
 * | unsubscribe | removes the metrics that it registered |
 * | second subscription | errors, because the names are taken |
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
    // A registry reads all metrics synchronously, so they share the state of one moment.
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
    // Validates the labels of the pools now and not at the first scrape.
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
