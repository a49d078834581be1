import type { SchedulerLike } from 'rxjs';

/** Certificates as PEM text. Without any, the system's own authorities are asked. */
export interface NatsTls {
  /** The authority that signed the servers' certificates. */
  readonly ca?: string;
  /** The client's certificate and key, where the servers demand one: both or none. */
  readonly cert?: string;
  readonly key?: string;
}

/** Who we are: one of these. */
export type NatsAuth =
  | { readonly user: string; readonly password: string }
  | { readonly token: string }
  /** The seed of an NKey, `SU…`. */
  | { readonly nkeySeed: string }
  /** The contents of a credentials file: a JWT and the seed that signs for it. */
  | { readonly credentials: string };

/** Where NATS is, and who we are. */
export interface NatsOptions {
  /**
   * URLs such as `nats://10.0.0.1:4222`; without a scheme `nats`, without a port 4222. Tried in turn. A user and a
   * password, or a token, may stand in one, and then count for it.
   */
  readonly servers: string | readonly string[];
  readonly auth?: NatsAuth;
  /** Given, the connection is encrypted; a `tls://` URL and a server that demands it do the same. */
  readonly tls?: NatsTls;
  /** How the server calls the connection; `tidemark` when absent. */
  readonly name?: string;
  /** Where time comes from; {@link monotonicScheduler} when absent. */
  readonly scheduler?: SchedulerLike;
}
