// Discovery.
export { etcdDiscovery, type EtcdDiscovery, type EtcdDiscoveryOptions } from './etcd-discovery.js';
export type { Discovery, PoolSources } from './discovery.js';

// Watching.
export { watchPrefix } from './watch-prefix.js';
export type { WatchPrefixOptions, PrefixWatch } from './watch-prefix.js';
export type { KeyChange, KeyDelete, KeyPut, PrefixBatch } from './etcd-link.js';

// The connection.
export type { EtcdOptions, EtcdTls } from './etcd-options.js';
export { EtcdOptionsError } from './etcd-options.js';

// Registration.
export { registerWorker, type RegisterWorkerOptions } from './register-worker.js';
export type { RegistrationStatus } from './registration-status.js';
