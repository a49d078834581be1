import {
  EMPTY,
  Observable,
  catchError,
  concat,
  defaultIfEmpty,
  defer,
  ignoreElements,
  map,
  mergeMap,
  switchMap,
  tap,
  throwError,
} from 'rxjs';
import { NatsError, type NatsErrorCode, toNatsError } from './nats-error.js';
import type { LinkStatus } from './nats-link.js';
import type { NatsOptions, NatsServer } from './nats-options.js';
import {
  type NatsPackage,
  type OpenedLink,
  authenticatorOf,
  loadNats,
  requireTlsFirst,
} from './nats-package.js';
import { type ServerHabits, natsPreFlight, natsRefusal } from './nats-pre-flight.js';

const PRE_FLIGHT_MS = 2_000;
const CONNECT_MS = 5_000;
/** A silent server is noticed after two periods. */
const PING_MS = 4_000;

/**
 * Connects to a server: emits one connection, and closes it on unsubscription. Never completes; errors with `NatsError`
 * when the connection fails or ends, in the words of the server if it gave a reason.
 *
 * The reconnecting of the client is off: it reads the wall clock and stops after a step back, gives up after two refused
 * logins, and does not report why it fails.
 */
export function openNats(server: NatsServer, options: NatsOptions, load = loadNats): Observable<OpenedLink> {
  return defer(load).pipe(
    mergeMap((loaded) => {
      let habits: ServerHabits = { tlsFirst: false };
      const preFlight$ = natsPreFlight(server, options.tls, PRE_FLIGHT_MS).pipe(
        tap((found) => (habits = found)),
        ignoreElements(),
      );
      const connection$ = defer(() => {
        if (habits.tlsFirst) requireTlsFirst(loaded);
        return connect(loaded.module, server, options, habits);
      });
      return concat(preFlight$, connection$);
    }),
  );
}

/** The errors of a client that may hide what the server said. */
const vague: readonly NatsErrorCode[] = ['nats-unreachable', 'nats-failed'];

function connect(
  client: NatsPackage,
  server: NatsServer,
  { tls, name = 'tidemark' }: NatsOptions,
  habits: ServerHabits,
): Observable<OpenedLink> {
  const authenticator = authenticatorOf(server.auth, client);
  const toError = (error: unknown): NatsError => toNatsError(error, server.url, 'connecting');
  // The client throws for an invalid key synchronously.
  const open = async (): Promise<OpenedLink> =>
    client.connect({
      servers: `${server.hostname.includes(':') ? `[${server.hostname}]` : server.hostname}:${server.port}`,
      name,
      reconnect: false,
      timeout: CONNECT_MS,
      pingInterval: PING_MS,
      maxPingOut: 1,
      noAsyncTraces: true,
      ignoreClusterUpdates: true,
      ...(authenticator !== null && { authenticator }),
      ...(server.secure && { tls: { ...tls, handshakeFirst: habits.tlsFirst } }),
    });
  const opened$ = new Observable<OpenedLink>((subscriber) => {
    let link: OpenedLink | undefined;
    open().then(
      (opened) => {
        if (subscriber.closed) return void opened.close();
        link = opened;
        subscriber.next(opened);
      },
      (error: unknown) => subscriber.error(error),
    );
    // `drain` may never finish on a half-open connection.
    return () => void link?.close();
  });
  return opened$.pipe(
    catchError((thrown: unknown) => {
      const error = toError(thrown);
      const refusal$ = vague.includes(error.code)
        ? natsRefusal(server, tls, habits, authenticator, PRE_FLIGHT_MS)
        : EMPTY;
      return refusal$.pipe(
        map((words) => toError(new Error(`the server answers '${words}'`))),
        defaultIfEmpty(error),
        mergeMap((reason) => throwError(() => reason)),
      );
    }),
    switchMap((link) => untilEnd(link, server.url)),
  );
}

/** Emits a connection, and errors when it ends. Its statuses are read, because unread ones would pile up. */
function untilEnd(link: OpenedLink, url: string): Observable<OpenedLink> {
  return new Observable((subscriber) => {
    const fail = (error: unknown): void => subscriber.error(toNatsError(error, url, 'listening'));
    const read = async (): Promise<void> => {
      for await (const status of link.status() as AsyncIterable<LinkStatus>) {
        const refusal = refusedLogin(status);
        // After this, the client would report the connection as stale.
        if (refusal !== null) fail(new Error(`the server no longer accepts the credentials: ${refusal}`));
        // The client itself would first wait until all pending data is sent.
        if (status.type === 'staleConnection')
          fail(new Error(`the server is silent: stale for ${2 * PING_MS} ms`));
        if (status.type === 'ldm')
          fail(
            new NatsError('nats-unreachable', `NATS at ${url} is shutting down. tidemark connects again.`),
          );
      }
    };
    link.closed().then((error) => fail(error ?? new Error('the connection was closed')), fail);
    read().catch(fail);
    subscriber.next(link);
  });
}

/** The words of the server when it ends a login. `nats` 2 gives its own code for them. */
function refusedLogin({ type, data, error }: LinkStatus): string | null {
  if (type !== 'error') return null;
  const words = error?.message ?? wordsOfCode[String(data)] ?? String(data);
  return /^'?(user |account )?auth/i.test(words) ? words : null;
}

const wordsOfCode: Readonly<Record<string, string>> = {
  AUTHORIZATION_VIOLATION: 'Authorization Violation',
  AUTHENTICATION_EXPIRED: 'User Authentication Expired',
  AUTHENTICATION_TIMEOUT: 'Authentication Timeout',
  ACCOUNT_EXPIRED: 'Account Authentication Expired',
};
