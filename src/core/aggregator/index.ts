// The aggregator.
export { metricsAggregator, type MetricsAggregator } from './metrics-aggregator.js';
export { AggregatorOptionsError, type MetricsAggregatorOptions } from './aggregator-options.js';
export { aggregatorPolicies, type AggregatorPolicy, type StatsWirePolicy } from './aggregator-policy.js';
export { engineLoads } from './engine-loads.js';

// Snapshots.
export { ProcessedEndpoints } from './processed-endpoints.js';
export {
  kvActiveBlocks,
  type Endpoint,
  type ForwardPassMetrics,
  type KvStats,
  type LoadMetrics,
  type PredictiveLoadMetrics,
  type SpecDecodeStats,
  type WorkerStats,
} from './load-metrics.js';

// Scrapes.
export {
  ScrapeError,
  type ReplyDecoder,
  type Scrape,
  type ScrapedEndpoint,
  type ScrapedReply,
  type ScrapeErrorCode,
  type ScrapeReply,
} from './scrape.js';
export { readScrape, type ScrapeReading, type ScrapeResult } from './read-scrape.js';
