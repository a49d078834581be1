// Pages and registries.
export { poolMetrics, type PoolMetrics, type PoolMetricsOptions } from './pool-metrics.js';
export type { MonitorCounts } from './monitor-counts.js';
export { renderMetrics } from './render-metrics.js';
export { registryMetrics } from './registry-metrics.js';
export type { MetricsRegistry } from './metrics-registry.js';
export { contentTypeFor, type MetricsContent, type MetricsFormat } from './content-type-for.js';

// What others set.
export { seriesCleanup, type SeriesCleanupOptions } from './series-cleanup.js';
export { WorkerLatencies, type LatencyOf } from './worker-latencies.js';
export type { LegacyMetrics, LegacyWorkerStats } from './legacy-metrics.js';

// Names and errors.
export { legacyMetrics, tidemarkMetrics, workerGauges } from './metric-names.js';
export type { Metric } from './metric.js';
export { MetricsOptionsError } from './metrics-options-error.js';
export { SeriesCleanupError } from './series-cleanup-error.js';
export { MetricNameTakenError } from './metric-name-taken-error.js';
