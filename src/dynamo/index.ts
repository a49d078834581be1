// Dynamo's own API, and live fleets as sources.

// The instance client: which workers of an endpoint a router may choose.
export { instanceClient, type InstanceClient } from './instance-client.js';
export type { InstanceClientOptions } from './instance-client.js';
export { clientPolicies } from './client-policy.js';
export type { ClientPolicy } from './client-policy.js';
export type { RoutingCounts, RoutingSnapshot } from './routing-sets.js';
export { InhibitedDurationError, inhibitedDurationMs } from './inhibited-duration.js';

// The worker monitor.
export { KvWorkerMonitor } from './kv-worker-monitor.js';
export type { KvMonitorSources, KvMonitorOptions, PrefillClient } from './kv-monitor-options.js';
export { ConfigsUnavailableError } from './kv-monitor-options.js';

// A live fleet as the sources of a monitor.
export { dynamoSources, type DynamoSources, type DynamoSourcesOptions } from './dynamo-sources.js';
export { scrapedSources, type ScrapedSources, type ScrapedSourcesOptions } from './scraped-sources.js';
export type { FleetScope } from './discovery-sources.js';

// The statistics of scraped workers (Dynamo up to 0.6).
export { EndpointCollector, KvMetricsAggregator } from './scraped-endpoints.js';
export type { ComponentName, ScrapedEndpointsOptions } from './scraped-endpoints.js';
