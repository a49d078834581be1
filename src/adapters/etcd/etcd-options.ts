import type { SchedulerLike } from 'rxjs';

/** Certificates as PEM text or bytes. Without any, the system's own authorities are asked. */
export interface EtcdTls {
  /** The authority that signed the servers' certificates. */
  readonly ca?: string | Uint8Array;
  /** The client's certificate and key, where the servers demand one: both or none. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  /** The name to find in the servers' certificate, where it is not the host of the URL. */
  readonly serverName?: string;
}

/** Where etcd is, and who we are. */
export interface EtcdOptions {
  /** URLs such as `http://10.0.0.1:2379`; without a scheme `http`, without a port 2379. Tried in turn. */
  readonly hosts: string | readonly string[];
  readonly auth?: { readonly username: string; readonly password: string };
  /** For `https` hosts. */
  readonly tls?: EtcdTls;
  /** Stands before every key, where a fleet lives in a part of a store that others share. */
  readonly keyPrefix?: string;
  /** Where time comes from; {@link monotonicScheduler} when absent. */
  readonly scheduler?: SchedulerLike;
}
