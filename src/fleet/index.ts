// A live fleet.
export { dynamoFleet, type DynamoFleetOptions, type FleetScrapeOptions } from './dynamo-fleet.js';
export type { Fleet, PoolSources } from './fleet.js';
export { FleetPools } from './pools/fleet-pools.js';
export type { PoolRules } from './pools/fleet-pools.js';
export type { Pool, PoolChange, Pools } from './pools/pools.js';
export { ThresholdBook, ThresholdBookError } from './thresholds/threshold-book.js';
export type {
  ResolvedFor,
  ResolvedThreshold,
  ResolvedThresholds,
  ThresholdBase,
} from './thresholds/threshold-book.js';
export type {
  EntryTarget,
  ThresholdChange,
  ThresholdEntry,
  ThresholdOrigin,
} from './thresholds/threshold-entry.js';
export {
  liveSimulator,
  type LiveSimulator,
  type LiveSimulatorOptions,
} from './live-simulator/live-simulator.js';
export type { SimulatorEvent } from './live-simulator/simulator-event.js';
export type { SimulatedRelease } from './live-simulator/live-worker.js';
export { ForeignWorkersError } from './live-simulator/simulation-namespace.js';
export { registerWorker, type RegisterWorkerOptions, type WorkerStatus } from './register-worker.js';

// Its workers: keys of a discovery backend.
export { discoverWorkers } from '../dynamo/discovery/discover-workers.js';
export type { Discovery, DiscoveryOptions, PoolMembership } from '../dynamo/discovery/discover-workers.js';
export { DiscoveryFold } from '../dynamo/discovery/discovery-fold.js';
export type {
  DiscoveryDifference,
  DiscoveryProblem,
  MemberDifference,
  PoolMembers,
  PoolSelector,
} from '../dynamo/discovery/discovery-fold.js';
export type { FleetScope } from '../dynamo/discovery/fleet-scope.js';
export type { NamespaceMatch } from '../dynamo/discovery/namespaces.js';
export {
  decodeDiscoveryRecord,
  type DiscoveryRecord,
  type EventChannelRecord,
  type InstanceRecord,
  type ModelRecord,
  type RemovedRecord,
} from '../dynamo/discovery/discovery-record.js';
export {
  parseDiscoveryKey,
  type DiscoveryKey,
  eventChannelKey,
  instanceKey,
  modelKey,
  discoveryPrefixes,
} from '../dynamo/discovery/discovery-keys.js';
export { workerKeys, type WorkerKeysOptions } from '../dynamo/publishing/worker-keys.js';

// Its loads: messages of an event plane.
export { receiveLoads } from '../dynamo/loads/receive-loads.js';
export type { LoadRelease, ReceivedLoads, ReceiveLoadsOptions } from '../dynamo/loads/receive-loads.js';
export type { AccountingReport, LoadForm } from '../dynamo/loads/load-receiver.js';
export { LoadAccounting, type LoadAccountingOptions } from '../dynamo/loads/load-accounting.js';
export type {
  AgeAccount,
  DetachedAccount,
  ForeignAccount,
  LoadAccount,
  NotAccountableReason,
  NotAccountableReport,
  PublisherAccount,
  PublisherCounts,
  SequenceAccount,
  SequenceGap,
} from '../wire/loads/load-account.js';
export { loadSubject, parseSubject, type ParsedSubject } from '../dynamo/loads/subjects.js';
export { loadMessages, type LoadMessagesOptions } from '../dynamo/publishing/load-messages.js';

// The instance client: which workers of an endpoint a router may choose.
export { instanceClient, type InstanceClient } from '../dynamo/instance-client.js';
export type { InstanceClientOptions } from '../dynamo/instance-client.js';
export { clientPolicies } from '../dynamo/client-policy.js';
export type { ClientPolicy } from '../dynamo/client-policy.js';
export type { RoutingCounts, RoutingSnapshot } from '../dynamo/routing-sets.js';
export { InhibitedDurationError, inhibitedDurationMs } from '../dynamo/inhibited-duration.js';

// The worker monitor.
export { KvWorkerMonitor } from '../dynamo/kv-worker-monitor.js';
export type { KvMonitorSources, KvMonitorOptions, PrefillClient } from '../dynamo/kv-monitor-options.js';
export { ConfigsUnavailableError } from '../dynamo/kv-monitor-options.js';

// The statistics of scraped workers (Dynamo up to 0.6).
export { EndpointCollector, KvMetricsAggregator } from '../dynamo/scraped-endpoints.js';
export type { ComponentName, ScrapedEndpointsOptions } from '../dynamo/scraped-endpoints.js';
