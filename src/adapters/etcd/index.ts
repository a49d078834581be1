// Discovery.
export { etcdDiscovery, type EtcdDiscovery, type EtcdDiscoveryOptions } from './etcd-discovery.js';
export type { Discovery, PoolSources } from './discovery-of.js';

// Watching.
export { watchPrefix } from './watch-prefix.js';
export type { WatchPrefixOptions } from './prefix-run.js';
export type { PrefixWatch } from './shared-watch.js';
export type { KeyChange, KeyDelete, KeyPut, PrefixBatch } from './prefix-batch.js';

// The connection.
export type { EtcdOptions, EtcdTls } from './etcd-options.js';
export { EtcdOptionsError } from './etcd-options-error.js';

// Registration.
export { registerWorker, type RegisterWorkerOptions } from './register-worker.js';
export type { RegistrationStatus } from './registration-status.js';
