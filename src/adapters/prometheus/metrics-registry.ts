/** What is used of a `Registry` of prom-client; any of its releases 15 fits. */
export interface MetricsRegistry {
  getSingleMetric(name: string): unknown;
  // Whatever prom-client takes here; ours speak its protocol.
  registerMetric(metric: never): void;
  removeSingleMetric(name: string): void;
}
