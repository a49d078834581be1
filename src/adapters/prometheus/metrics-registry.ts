/** What is used of a `Registry` of prom-client; its releases 13 to 15 fit. */
export interface MetricsRegistry {
  getSingleMetric(name: string): unknown;
  // Whatever prom-client takes here; ours speak its protocol.
  registerMetric(metric: never): void;
  removeSingleMetric(name: string): void;
}
