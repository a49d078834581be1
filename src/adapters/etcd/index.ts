// Keys.
export { watchPrefix } from './watch-prefix.js';
export type { WatchPrefixOptions, PrefixWatch } from './watch-prefix.js';
export type { KeyDelete, KeyEntry, KeyPut, PrefixBatch } from './etcd-link.js';
export { registerKeys, type RegisterKeysOptions } from './register-keys.js';
export type { RegistrationState, RegistrationStatus } from './registration-status.js';

// The connection.
export type { EtcdClientLike, EtcdOptions, EtcdTls } from './etcd-options.js';
export { EtcdOptionsError } from './etcd-options.js';
