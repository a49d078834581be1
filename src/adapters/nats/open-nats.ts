import type { ConnectionOptions, NatsConnection } from 'nats';
import { concat, defer, mergeMap, Observable } from 'rxjs';
import type { NatsAuth, NatsOptions } from './nats-options.js';
import { natsClient, type NatsClient } from './nats-client.js';
import { natsPreFlight } from './nats-pre-flight.js';
import type { NatsServer } from './nats-server.js';
import { NatsTrouble, natsTroubleOf } from './nats-trouble.js';

const PRE_FLIGHT_MS = 2_000;
const CONNECT_MS = 5_000;
/** Silence is noticed after twice this. */
const PING_MS = 4_000;

/**
 * Connects to a server: one connection, closed when it is unsubscribed from. Never completes; errors with
 * `NatsTrouble` when the connection cannot be had, or ends.
 *
 * The client's own reconnecting is off: it reads the wall clock and stands still after a step back, gives up for good
 * after two refusals, and does not say why it fails.
 */
export function openNats(
  server: NatsServer,
  { tls, name = 'tidemark' }: NatsOptions,
): Observable<NatsConnection> {
  const connected = (client: NatsClient): Observable<NatsConnection> =>
    new Observable((subscriber) => {
      let connection: NatsConnection | undefined;
      const fail = (error: unknown, tried: string): void =>
        subscriber.error(natsTroubleOf(error, server.url, tried));
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
          void watchOver(opened, server.url, (error) => subscriber.error(error));
          subscriber.next(opened);
        },
        (error: unknown) => fail(error, 'connecting'),
      );
      // `drain` may take for ever on a connection that is half open.
      return () => void connection?.close();
    });
  return defer(natsClient).pipe(
    mergeMap((client) => concat(natsPreFlight(server, PRE_FLIGHT_MS), connected(client))),
  );
}

/** Reads what the client says about its connection, which would pile up unread, until the connection is over. */
async function watchOver(
  connection: NatsConnection,
  url: string,
  over: (error: NatsTrouble) => void,
): Promise<void> {
  const fail = (error: Error): void => over(natsTroubleOf(error, url, 'listening'));
  const ended = connection.closed().then((error) => fail(error ?? new Error('the connection was closed')));
  const statuses: AsyncIterable<{ readonly type: string; readonly data: unknown }> = connection.status();
  for await (const { type, data } of statuses) {
    // The client calls such a connection stale, after this.
    if (type === 'error' && /^(AUTH|ACCOUNT)/.test(String(data)))
      fail(new Error(`the server no longer accepts who we are: ${String(data)}`));
    // The client would wait until what it has to send is sent.
    if (type === 'staleConnection') fail(new Error(`the server is silent: stale for ${2 * PING_MS} ms`));
    if (type === 'ldm')
      over(new NatsTrouble('nats-unreachable', `NATS at ${url} is about to stop. Another server is tried.`));
  }
  await ended;
}

function authOf(
  auth: NatsAuth | null,
  { credsAuthenticator, nkeyAuthenticator }: NatsClient,
): Partial<ConnectionOptions> {
  if (auth === null) return {};
  if ('token' in auth) return { token: auth.token };
  if ('user' in auth) return { user: auth.user, pass: auth.password };
  const utf8 = new TextEncoder();
  return 'nkeySeed' in auth
    ? { authenticator: nkeyAuthenticator(utf8.encode(auth.nkeySeed)) }
    : { authenticator: credsAuthenticator(utf8.encode(auth.credentials)) };
}
