import type { ICallable, IOptions, KVClient, LeaseClient, WatchClient } from 'etcd3';
import type { Etcd3Package } from './etcd3-package.js';
import type { EtcdHost } from './etcd-host.js';
import type { EtcdOptions, EtcdTls } from './etcd-options.js';
import { tokenCalls, type Connections } from './token-calls.js';

/** The raw calls to one server, for one session. */
export interface EtcdClient {
  readonly url: string;
  readonly kv: KVClient;
  readonly lease: LeaseClient;
  readonly watch: WatchClient;
  /** Whether the server refused the token, not the user: it has run out, or the server has forgotten it. */
  readonly isTokenRefused: (error: unknown) => boolean;
  /** Gets a new token for all further calls, where there is a user. */
  readonly login: () => Promise<void>;
  /** A call that {@link close} waits for, whatever becomes of it. */
  readonly lastCall: (call: () => Promise<unknown>) => void;
  /** Ends all connections. Streams have to be cancelled before. */
  readonly close: () => void;
}

type Policy = NonNullable<NonNullable<IOptions['faultHandling']>['global']>;
type GrpcOptions = NonNullable<IOptions['grpcOptions']>;

/**
 * A client of one server.
 *
 * Its own retries and circuit breaker are off: the breaker reads the wall clock and stays open after a step back, and
 * a session that ends at the first error needs neither. A message may be of any size: a replay that is refused for its
 * size would be skipped. The client has its own connections: the shared ones may be stuck. It logs in by itself: etcd3
 * would open a connection for that which it never closes.
 *
 * All services go over one connection: an answer to a probe then says that the watch is connected, too.
 */
export function etcdClient(
  { AuthClient, Etcd3, EtcdInvalidAuthTokenError, KVClient, LeaseClient, WatchClient }: Etcd3Package,
  host: EtcdHost,
  { auth, tls }: Pick<EtcdOptions, 'auth' | 'tls'>,
  deadlineMs: number,
): EtcdClient {
  const grpcOptions: GrpcOptions = {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_receive_message_length': -1,
    'grpc.enable_retries': 0,
    ...(tls?.serverName !== undefined && { 'grpc.ssl_target_name_override': tls.serverName }),
  };
  const client = new (class extends Etcd3 {
    get connections(): ICallable<unknown> {
      return this.pool;
    }
  })({
    hosts: host.url,
    ...(host.secure && tls !== undefined && { credentials: credentialsOf(tls) }),
    grpcOptions,
    faultHandling: { host: () => once, global: once },
  });
  let token: string | null = null;
  const calls = tokenCalls(oneChannel(client.connections, grpcOptions), () => token, deadlineMs);
  const login = async ({ username, password }: NonNullable<typeof auth>): Promise<void> => {
    token = null;
    token = (await new AuthClient(calls).authenticate({ name: username, password })).token;
  };
  let last: Promise<unknown> = Promise.resolve();
  return {
    url: host.url,
    kv: new KVClient(calls),
    lease: new LeaseClient(calls),
    watch: new WatchClient(calls),
    isTokenRefused: (error) => error instanceof EtcdInvalidAuthTokenError,
    login: () => (auth === undefined ? Promise.resolve() : login(auth)),
    lastCall: (call) => {
      last = call().catch(() => undefined);
    },
    // A last call may still be made in the same turn, by whoever is told later that it is over.
    close: () => queueMicrotask(() => void last.then(() => client.close())),
  };
}

/** Every service that is asked for takes the channel of the first one; gRPC would give each its own. */
function oneChannel(connections: ICallable<unknown>, grpcOptions: GrpcOptions): Connections {
  return {
    withConnection: (service, call) =>
      connections.withConnection(service, (connection) => {
        grpcOptions['channelOverride'] ??= connection.client.getChannel();
        return call(connection);
      }),
  };
}

const never = new AbortController().signal;
const once = {
  execute: async <T>(call: (context: { signal: AbortSignal }) => Promise<T>) => await call({ signal: never }),
} as unknown as Policy;

function credentialsOf(tls: EtcdTls): NonNullable<IOptions['credentials']> {
  return {
    // gRPC takes the system's authorities where there is none.
    rootCertificate: (tls.ca === undefined ? null : Buffer.from(tls.ca)) as Buffer,
    ...(tls.key !== undefined && { privateKey: Buffer.from(tls.key) }),
    ...(tls.cert !== undefined && { certChain: Buffer.from(tls.cert) }),
  };
}
