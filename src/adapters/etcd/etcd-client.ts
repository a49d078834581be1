import type * as etcd3 from 'etcd3';
import type { ICallable, IOptions, KVClient, LeaseClient, WatchClient } from 'etcd3';
import { loadPackage, rethrow } from '../packages/load-package.js';
import type { EtcdHost, EtcdOptions, EtcdTls } from './etcd-options.js';

/** The package that speaks to etcd. */
export type Etcd3Package = typeof etcd3;

/**
 * Loads the package `etcd3` when a connection is wanted, not before: it is an optional peer.
 *
 * @throws PackageError
 */
export async function loadEtcd3(): Promise<Etcd3Package> {
  return (await loadPackage('etcd3', () => import('etcd3').catch(rethrow))).module;
}

/** Creates the clients of the services. */
export type Connections = Pick<ICallable<unknown>, 'withConnection'>;

type Connection = Parameters<Parameters<Connections['withConnection']>[1]>[0];
type Unary = (
  request: unknown,
  metadata: Connection['metadata'],
  options: { readonly deadline: number },
  callback: (error: Error | null, answer: unknown) => void,
) => void;

/**
 * Adds a token and a deadline to calls.
 *
 * etcd3 repeats a call whose token is refused forever. Here the call fails once, and the caller gets a new token.
 */
function withToken(
  connections: Connections,
  token: () => string | null,
  deadlineMs: number,
): ICallable<unknown> {
  const withConnection: Connections['withConnection'] = (service, call) =>
    connections.withConnection(service, (connection) => {
      const { metadata } = connection;
      // With it, a watch ends when its server loses the majority, instead of becoming silent.
      metadata.set('hasleader', 'true');
      const current = token();
      if (current !== null) metadata.set('token', current);
      return call(connection);
    });
  return {
    withConnection,
    exec: <T>(service: Parameters<typeof withConnection>[0], method: string, request: unknown) =>
      withConnection<T>(service, ({ client, metadata }) => {
        const methods = client as unknown as Record<string, Unary>;
        return new Promise((resolve, reject) => {
          // gRPC compares deadlines with the wall clock, so it is computed at the moment of the call.
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

/** The raw calls to one server during one session. */
export interface EtcdClient {
  readonly url: string;
  readonly kv: KVClient;
  readonly lease: LeaseClient;
  readonly watch: WatchClient;
  /** Whether the server refused only the token, because it expired or the server restarted, and not the user. */
  readonly isTokenRefused: (error: unknown) => boolean;
  /** Gets a new token for all further calls, if there is a user. */
  readonly login: () => Promise<void>;
  /** Makes a call that {@link close} waits for, whether or not it succeeds. */
  readonly lastCall: (call: () => Promise<unknown>) => void;
  /** Closes all connections. Streams must be cancelled before. */
  readonly close: () => void;
}

type Policy = NonNullable<NonNullable<IOptions['faultHandling']>['global']>;
type GrpcOptions = NonNullable<IOptions['grpcOptions']>;

/**
 * Creates a client of one server.
 *
 * 1. The retries and the circuit breaker of etcd3 are off. The breaker reads the wall clock and stays open after a step
 *    back, and a session that ends with the first error needs neither.
 * 2. Messages have no size limit, because etcd would skip a replay that exceeds it.
 * 3. The client does not share connections, because a shared one may be stuck.
 * 4. It logs in by itself, because etcd3 would open a connection for that and never close it.
 * 5. All services use one connection, so the answer to a probe shows that the watch is connected, too.
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
    // A last call may still be made in the same turn, after this.
    close: () => queueMicrotask(() => void last.then(() => client.close())),
  };
}

/** Makes all services share the channel of the first one. By default, gRPC gives each its own. */
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
    // With null, gRPC uses the certificate authorities of the system.
    rootCertificate: (tls.ca === undefined ? null : Buffer.from(tls.ca)) as Buffer,
    ...(tls.key !== undefined && { privateKey: Buffer.from(tls.key) }),
    ...(tls.cert !== undefined && { certChain: Buffer.from(tls.cert) }),
  };
}
