import type { CleanupSink } from '../../core/pipeline/perform-cleanup.js';
import type { Cleanup } from '../../core/state/cleanup.js';
import { type Metric, workerGauges } from './metric-names.js';
import { SeriesCleanupError } from './metrics-errors.js';
import type { MetricsRegistry } from './registry-metrics.js';
import { WorkerLatencies } from './worker-latencies.js';

/** Options of {@link seriesCleanup}. */
export interface SeriesCleanupOptions {
  /** Labels of the gauges in addition to Dynamo's three, with their values. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** The parts of a prom-client metric that tidemark uses. */
interface Removable {
  readonly labelNames?: readonly string[];
  remove(labels: Readonly<Record<string, string>>): void;
}

const { activeDecodeBlocks, activePrefillTokens, ...latencies } = workerGauges;
const latencyGauges: readonly Metric[] = Object.values(latencies);
const gauges: readonly Metric[] = [activeDecodeBlocks, activePrefillTokens, ...latencyGauges];

/**
 * A sink that removes the series of a cleanup from Dynamo's five gauges, in a prom-client registry or in
 * {@link WorkerLatencies}.
 *
 * 1. The series of a rank are removed from all five gauges, those of `none` from the three latency gauges: only a request
 *    can have no rank.
 * 2. Missing gauges and series are ignored, so a cleanup can be repeated.
 * 3. Metrics of {@link registryMetrics} need no cleanup and are not changed.
 * 4. If the labels of a gauge are not Dynamo's three and the given ones, the sink throws a {@link SeriesCleanupError}
 *    after it has processed all other gauges; `performCleanup` emits it as an outcome with an `error`.
 *
 * @example
 * ```ts
 * import { Gauge, Registry } from 'prom-client';
 * import { of } from 'rxjs';
 * import { performCleanup, workerId, type Cleanup } from 'tidemark';
 * import { seriesCleanup, workerGauges } from 'tidemark/prometheus';
 *
 * const registry = new Registry();
 * const latency = new Gauge({ ...workerGauges.lastInterTokenLatency, registers: [registry] });
 * for (const rank of ['0', 'none']) latency.set({ worker_id: '7', dp_rank: rank, worker_type: 'decode' }, 0.027);
 * const left: Cleanup = { workerId: workerId('7'), dpRanks: [0, 'none'], workerType: 'decode' };
 * of(left, left)
 *   .pipe(performCleanup(seriesCleanup(registry)))
 *   .subscribe((outcome) => console.log('error' in outcome));
 * console.log((await latency.get()).values);
 * // Logs: false
 * // Logs: false
 * // Logs: []
 * ```
 *
 * @see {@link performCleanup}
 */
export function seriesCleanup(
  target: MetricsRegistry | WorkerLatencies,
  { labels = {} }: SeriesCleanupOptions = {},
): CleanupSink {
  if (target instanceof WorkerLatencies) return (cleanup) => target.remove(cleanup);
  return (cleanup) => {
    const problems = gauges.flatMap((gauge) => removeFrom(target, gauge, cleanup, labels));
    if (problems.length > 0) throw new SeriesCleanupError(problems);
  };
}

function removeFrom(
  registry: MetricsRegistry,
  gauge: Metric,
  { workerId, dpRanks, workerType }: Cleanup,
  labels: Readonly<Record<string, string>>,
): string[] {
  const metric = registry.getSingleMetric(gauge.name);
  if (!isRemovable(metric)) return [];
  const wanted = [...gauge.labelNames, ...Object.keys(labels)];
  const held = metric.labelNames ?? wanted;
  if (wanted.some((name) => !held.includes(name)) || held.some((name) => !wanted.includes(name))) {
    return [
      `${gauge.name} has the labels ${held.join(', ')}, but ${wanted.join(', ')} are expected: ` +
        'pass the additional ones as the option labels',
    ];
  }
  for (const rank of dpRanks) {
    if (rank === 'none' && !latencyGauges.includes(gauge)) continue;
    metric.remove({ ...labels, worker_id: workerId, dp_rank: String(rank), worker_type: workerType });
  }
  return [];
}

/** Metrics of tidemark have nothing to remove. */
function isRemovable(metric: unknown): metric is Removable {
  return typeof (metric as Partial<Removable> | undefined)?.remove === 'function';
}
