// The faces of the original, for people who come from it.

// Which workers of an endpoint a router may choose.
export { instanceClient, type InstanceClient } from './instance-client.js';
export type { InstanceClientOptions } from './instance-client-options.js';
export { clientPolicies } from './client-policies.js';
export type { ClientPolicy } from './client-policy.js';
export type { RoutingCounts, RoutingSnapshot } from './routing-snapshot.js';
export { InhibitedDurationError, inhibitedDurationMs } from './inhibited-duration.js';

// The worker monitor.
export { KvWorkerMonitor } from './kv-worker-monitor.js';
export type { KvMonitorSources } from './kv-monitor-sources.js';
export type { KvMonitorOptions } from './kv-monitor-options.js';
export type { PrefillClient } from './loop-sources.js';
export { ConfigsUnavailableError } from './kv-monitor-error.js';

// A live fleet as the sources of a monitor.
export { dynamoSources, type DynamoSources, type DynamoSourcesOptions } from './dynamo-sources.js';
export { scrapedSources, type ScrapedSources, type ScrapedSourcesOptions } from './scraped-sources.js';
export type { FleetScope } from './fleet-sources.js';

// The statistics that workers of old releases are asked for.
export { EndpointCollector } from './endpoint-collector.js';
export { KvMetricsAggregator } from './kv-metrics-aggregator.js';
export type { ComponentName, ScrapedEndpointsOptions } from './scraped-endpoints.js';
