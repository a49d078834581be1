import { type Socket, connect } from 'node:net';
import type * as nats from 'nats';
import type { ConnectionOptions, NatsConnection } from 'nats';
import { Observable, concat, defer, mergeMap } from 'rxjs';
import { NatsError, toNatsError } from './nats-error.js';
import type { NatsAuth, NatsOptions, NatsServer } from './nats-options.js';

/** The package that speaks to NATS. */
export type NatsPackage = typeof nats;

/**
 * Loads the package `nats` when a connection is wanted, not before: it is an optional peer, and who brings a
 * connection needs none.
 *
 * @throws NatsError, code `nats-package`, that says what to install.
 */
export async function loadNats(): Promise<NatsPackage> {
  try {
    return await import('nats');
  } catch (cause) {
    throw new NatsError('nats-package', 'The package nats is not installed: npm install nats', { cause });
  }
}

/**
 * Connects to a server, waits for the line with which every NATS server begins, and closes.
 *
 * The client leaves a socket behind for every try at a peer that accepts connections and says nothing. A socket of
 * our own finds such a peer out, and is closed.
 *
 * 1. Completes when the server has said what it is.
 * 2. Errors with {@link NatsError}, also when that takes longer than `timeoutMs`.
 * 3. Unsubscribing closes the socket.
 */
export function natsPreFlight({ hostname, port, url }: NatsServer, timeoutMs: number): Observable<never> {
  return new Observable((subscriber) => {
    const fail = (error: Error): void => subscriber.error(toNatsError(error, url, 'connecting'));
    let said = '';
    const socket: Socket = connect({ host: hostname, port });
    socket.on('data', (bytes) => {
      said += bytes.toString('latin1');
      if (!'INFO {'.startsWith(said.slice(0, 6))) fail(new Error('what answers there is no NATS server'));
      else if (said.length >= 6) subscriber.complete();
    });
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('socket closed before the server said what it is')));
    const timer = setTimeout(
      () => fail(new Error(`it accepts connections but says nothing: timed out after ${timeoutMs} ms`)),
      timeoutMs,
    );
    return () => {
      clearTimeout(timer);
      // Errors that come after the end have nobody to be told to, and must not end the process.
      socket
        .removeListener('error', fail)
        .on('error', () => undefined)
        .destroy();
    };
  });
}

const PRE_FLIGHT_MS = 2_000;
const CONNECT_MS = 5_000;
/** Silence is noticed after twice this. */
const PING_MS = 4_000;

/**
 * Connects to a server: one connection, closed when it is unsubscribed from. Never completes; errors with
 * `NatsError` when the connection cannot be had, or ends.
 *
 * The client's own reconnecting is off: it reads the wall clock and stands still after a step back, gives up for good
 * after two refusals, and does not say why it fails.
 */
export function openNats(
  server: NatsServer,
  { tls, name = 'tidemark' }: NatsOptions,
): Observable<NatsConnection> {
  const connected = (client: NatsPackage): Observable<NatsConnection> =>
    new Observable((subscriber) => {
      let connection: NatsConnection | undefined;
      const fail = (error: unknown, tried: string): void =>
        subscriber.error(toNatsError(error, server.url, tried));
      // A key that is none is refused before the promise is there.
      const begun = async (): Promise<NatsConnection> =>
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
      begun().then(
        (opened) => {
          if (subscriber.closed) return void opened.close();
          connection = opened;
          void watchConnection(opened, server.url, (error) => subscriber.error(error));
          subscriber.next(opened);
        },
        (error: unknown) => fail(error, 'connecting'),
      );
      // `drain` may take for ever on a connection that is half open.
      return () => void connection?.close();
    });
  return defer(loadNats).pipe(
    mergeMap((client) => concat(natsPreFlight(server, PRE_FLIGHT_MS), connected(client))),
  );
}

/** Reads what the client says about its connection, which would pile up unread, until the connection is over. */
async function watchConnection(
  connection: NatsConnection,
  url: string,
  over: (error: NatsError) => void,
): Promise<void> {
  const fail = (error: Error): void => over(toNatsError(error, url, 'listening'));
  const ended = connection.closed().then((error) => fail(error ?? new Error('the connection was closed')));
  const statuses: AsyncIterable<{ readonly type: string; readonly data: unknown }> = connection.status();
  for await (const { type, data } of statuses) {
    // The client calls such a connection stale, after this.
    if (type === 'error' && /^(AUTH|ACCOUNT)/.test(String(data)))
      fail(new Error(`the server no longer accepts who we are: ${String(data)}`));
    // The client would wait until what it has to send is sent.
    if (type === 'staleConnection') fail(new Error(`the server is silent: stale for ${2 * PING_MS} ms`));
    if (type === 'ldm')
      over(new NatsError('nats-unreachable', `NATS at ${url} is about to stop. Another server is tried.`));
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
