import type * as etcd3 from 'etcd3';
import type { ICallable, IOptions, KVClient, LeaseClient, WatchClient } from 'etcd3';
import { EtcdError } from './etcd-error.js';
import type { EtcdHost, EtcdOptions, EtcdTls } from './etcd-options.js';

/** The package that speaks to etcd. */
export type Etcd3Package = typeof etcd3;

/**
 * Loads the package `etcd3` when a connection is wanted, not before: it is an optional peer.
 *
 * @throws EtcdError, code `etcd-package`, that says what to install.
 */
export async function loadEtcd3(): Promise<Etcd3Package> {
  try {
    return await import('etcd3');
  } catch (cause) {
    throw new EtcdError('etcd-package', 'The package etcd3 is not installed: npm install etcd3', { cause });
  }
}

/** Where the clients of the services come from. */
export type Connections = Pick<ICallable<unknown>, 'withConnection'>;

type Connection = Parameters<Parameters<Connections['withConnection']>[1]>[0];
type Unary = (
  request: unknown,
  metadata: Connection['metadata'],
  options: { readonly deadline: number },
  answered: (error: Error | null, answer: unknown) => void,
) => void;

/**
 * Calls that carry a token and end after a time.
 *
 * etcd3 repeats a call with a refused token without end; here it fails once, and whoever called gets a new token.
 */
export function withToken(
  connections: Connections,
  token: () => string | null,
  deadlineMs: number,
): ICallable<unknown> {
  const withConnection: Connections['withConnection'] = (service, call) =>
    connections.withConnection(service, (connection) => {
      const { metadata } = connection;
      // A watch on a server that has lost its majority then ends, and is not only silent.
      metadata.set('hasleader', 'true');
      const present = token();
      if (present !== null) metadata.set('token', present);
      return call(connection);
    });
  return {
    withConnection,
    exec: <T>(service: Parameters<typeof withConnection>[0], method: string, request: unknown) =>
      withConnection<T>(service, ({ client, metadata }) => {
        const methods = client as unknown as Record<string, Unary>;
        return new Promise((resolve, reject) => {
          // gRPC reads the wall clock for a deadline, so it is made at the moment of the call.
          methods[method]?.(request, metadata, { deadline: Date.now() + deadlineMs }, (error, answer) =>
            error === null ? resolve(answer as T) : reject(error),
          );
        });
      }),
    // The session ends with its first error, and the connection with it.
    markFailed: () => undefined,
    callOptionsFactory: undefined,
  };
}

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
export function createEtcdClient(
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
    faultHandling: { host: () => noRetryPolicy, global: noRetryPolicy },
  });
  let token: string | null = null;
  const calls = withToken(shareChannel(client.connections, grpcOptions), () => token, deadlineMs);
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
function shareChannel(connections: ICallable<unknown>, grpcOptions: GrpcOptions): Connections {
  return {
    withConnection: (service, call) =>
      connections.withConnection(service, (connection) => {
        grpcOptions['channelOverride'] ??= connection.client.getChannel();
        return call(connection);
      }),
  };
}

const never = new AbortController().signal;
const noRetryPolicy = {
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
