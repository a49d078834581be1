import type { CleanupSink } from '../../core/pipeline/perform-cleanup.js';
import type { Cleanup } from '../../core/state/cleanup.js';
import { type Metric, workerGauges } from './metric-names.js';
import { SeriesCleanupError } from './metrics-errors.js';
import type { MetricsRegistry } from './registry-metrics.js';
import { WorkerLatencies } from './worker-latencies.js';

/** How the series of a registry are found. */
export interface SeriesCleanupOptions {
  /** The labels that the gauges carry besides Dynamo's three, with their values. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** A metric of prom-client, as far as it is used. */
interface Removable {
  readonly labelNames?: readonly string[];
  remove(labels: Readonly<Record<string, string>>): void;
}

const { activeDecodeBlocks, activePrefillTokens, ...latencies } = workerGauges;
const latencyGauges: readonly Metric[] = Object.values(latencies);
const gauges: readonly Metric[] = [activeDecodeBlocks, activePrefillTokens, ...latencyGauges];

/**
 * The sink that drops what a cleanup names from Dynamo's five gauges, in a registry of prom-client or in
 * {@link WorkerLatencies}.
 *
 * 1. A rank is dropped from all five, `none` from the three latency gauges: only a request can be without a rank.
 * 2. A gauge that the registry does not hold, and a series that is not there, are nothing: dropping twice is as once.
 * 3. What {@link registryMetrics} put into the registry needs no cleanup and is left alone.
 * 4. A gauge whose labels are not Dynamo's three and those given throws a {@link SeriesCleanupError} when all others
 *    are done; `performCleanup` emits it as an outcome that is not ok.
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
 *   .subscribe(({ ok }) => console.log(ok));
 * console.log((await latency.get()).values);
 * // Logs: true
 * // Logs: true
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
      `${gauge.name} has the labels ${held.join(', ')}, and its series are looked for by ${wanted.join(', ')}: ` +
        'give what it has besides as labels',
    ];
  }
  for (const rank of dpRanks) {
    if (rank === 'none' && !latencyGauges.includes(gauge)) continue;
    metric.remove({ ...labels, worker_id: workerId, dp_rank: String(rank), worker_type: workerType });
  }
  return [];
}

/** Ours have nothing to remove. */
function isRemovable(metric: unknown): metric is Removable {
  return typeof (metric as Partial<Removable> | undefined)?.remove === 'function';
}
