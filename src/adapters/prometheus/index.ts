// Pages and registries.
export { poolMetrics, type PoolMetrics, type PoolMetricsOptions } from './pool-metrics.js';
export type { MonitorCounts, LegacyMetrics, LegacyWorkerStats } from './pool-metrics.js';
export { renderMetrics } from './render-metrics.js';
export { registryMetrics } from './registry-metrics.js';
export type { MetricsRegistry } from './registry-metrics.js';
export { contentTypeFor, type MetricsContent, type MetricsFormat } from './content-type-for.js';

// Series of the request path.
export { seriesCleanup, type SeriesCleanupOptions } from './series-cleanup.js';
export { WorkerLatencies, type LatencyLabels } from './worker-latencies.js';

// Names and errors.
export { legacyMetrics, tidemarkMetrics, workerGauges } from './metric-names.js';
export type { Metric } from './metric-names.js';
export { MetricsOptionsError, SeriesCleanupError, MetricNameTakenError } from './metrics-errors.js';
