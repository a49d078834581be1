import { type Socket, connect } from 'node:net';
import type * as nats from 'nats';
import type { ConnectionOptions, NatsConnection } from 'nats';
import { Observable, concat, defer, mergeMap } from 'rxjs';
import { loadPackage } from '../packages/load-package.js';
import { NatsError, toNatsError } from './nats-error.js';
import type { NatsAuth, NatsOptions, NatsServer } from './nats-options.js';

/** The package that speaks to NATS. */
export type NatsPackage = typeof nats;

/**
 * Loads the package `nats` when a connection is wanted, not before: it is an optional peer, and a caller that brings a
 * connection does not need it.
 *
 * @throws PackageError
 */
export async function loadNats(): Promise<NatsPackage> {
  return (await loadPackage('nats', () => import('nats'))).module;
}

/**
 * Connects to a server, waits for the INFO line that every NATS server sends first, and closes the connection.
 *
 * The client leaks a socket for every attempt to connect to a peer that accepts connections and sends nothing. A separate
 * socket detects such a peer and is closed.
 *
 * 1. Completes when the server has sent the beginning of its INFO line.
 * 2. Errors with {@link NatsError}, also after `timeoutMs`.
 * 3. Unsubscribing closes the socket.
 */
function natsPreFlight({ hostname, port, url }: NatsServer, timeoutMs: number): Observable<never> {
  return new Observable((subscriber) => {
    const fail = (error: Error): void => subscriber.error(toNatsError(error, url, 'connecting'));
    let received = '';
    const socket: Socket = connect({ host: hostname, port });
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
      if (!'INFO {'.startsWith(received.slice(0, 6)))
        fail(new Error('no NATS server answers at this address'));
      else if (received.length >= 6) subscriber.complete();
    });
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('the socket was closed before the server sent INFO')));
    const timer = setTimeout(
      () =>
        fail(
          new Error(`the server accepts connections but does not answer: timed out after ${timeoutMs} ms`),
        ),
      timeoutMs,
    );
    return () => {
      clearTimeout(timer);
      // Errors after the end have no subscriber and must not crash the process.
      socket
        .removeListener('error', fail)
        .on('error', () => undefined)
        .destroy();
    };
  });
}

const PRE_FLIGHT_MS = 2_000;
const CONNECT_MS = 5_000;
/** A silent server is noticed after two periods. */
const PING_MS = 4_000;

/**
 * Connects to a server: emits one connection, and closes it on unsubscription. Never completes; errors with `NatsError`
 * when the connection fails or ends.
 *
 * The reconnecting of the client is off: it reads the wall clock and stops after a step back, gives up after two refused
 * logins, and does not report why it fails.
 */
export function openNats(
  server: NatsServer,
  { tls, name = 'tidemark' }: NatsOptions,
): Observable<NatsConnection> {
  const connected = (client: NatsPackage): Observable<NatsConnection> =>
    new Observable((subscriber) => {
      let connection: NatsConnection | undefined;
      const fail = (error: unknown, action: string): void =>
        subscriber.error(toNatsError(error, server.url, action));
      // The client throws for an invalid key synchronously.
      const open = async (): Promise<NatsConnection> =>
        client.connect({
          servers: `${server.hostname.includes(':') ? `[${server.hostname}]` : server.hostname}:${server.port}`,
          name,
          reconnect: false,
          timeout: CONNECT_MS,
          pingInterval: PING_MS,
          maxPingOut: 1,
          noAsyncTraces: true,
          ignoreClusterUpdates: true,
          ...authOf(server.auth, client),
          ...(server.secure && { tls: { ...tls } }),
        });
      open().then(
        (opened) => {
          if (subscriber.closed) return void opened.close();
          connection = opened;
          void watchConnection(opened, server.url, (error) => subscriber.error(error));
          subscriber.next(opened);
        },
        (error: unknown) => fail(error, 'connecting'),
      );
      // `drain` may never finish on a half-open connection.
      return () => void connection?.close();
    });
  return defer(loadNats).pipe(
    mergeMap((client) => concat(natsPreFlight(server, PRE_FLIGHT_MS), connected(client))),
  );
}

/** Reads the status of a connection until it ends. Unread statuses would pile up. */
async function watchConnection(
  connection: NatsConnection,
  url: string,
  end: (error: NatsError) => void,
): Promise<void> {
  const fail = (error: Error): void => end(toNatsError(error, url, 'listening'));
  const ended = connection.closed().then((error) => fail(error ?? new Error('the connection was closed')));
  const statuses: AsyncIterable<{ readonly type: string; readonly data: unknown }> = connection.status();
  for await (const { type, data } of statuses) {
    // After this, the client would report the connection as stale.
    if (type === 'error' && /^(AUTH|ACCOUNT)/.test(String(data)))
      fail(new Error(`the server no longer accepts the credentials: ${String(data)}`));
    // The client itself would first wait until all pending data is sent.
    if (type === 'staleConnection') fail(new Error(`the server is silent: stale for ${2 * PING_MS} ms`));
    if (type === 'ldm')
      end(new NatsError('nats-unreachable', `NATS at ${url} is shutting down. tidemark connects again.`));
  }
  await ended;
}

function authOf(
  auth: NatsAuth | null,
  { credsAuthenticator, nkeyAuthenticator }: NatsPackage,
): Partial<ConnectionOptions> {
  if (auth === null) return {};
  if ('token' in auth) return { token: auth.token };
  if ('user' in auth) return { user: auth.user, pass: auth.password };
  const utf8 = new TextEncoder();
  return 'nkeySeed' in auth
    ? { authenticator: nkeyAuthenticator(utf8.encode(auth.nkeySeed)) }
    : { authenticator: credsAuthenticator(utf8.encode(auth.credentials)) };
}
