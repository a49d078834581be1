import type { Socket } from 'node:net';
import type { Authenticator } from 'nats';
import {
  EMPTY,
  NEVER,
  type Observable,
  catchError,
  filter,
  fromEvent,
  map,
  of,
  race,
  scan,
  switchMap,
  take,
  takeWhile,
  throwError,
  timer,
} from 'rxjs';
import { errorText } from '../../operators/error-text.js';
import { preFlight, startTls } from '../connections/pre-flight.js';
import { toNatsError } from './nats-error.js';
import type { NatsServer, NatsTls } from './nats-options.js';

/** What a server expects. */
export interface ServerHabits {
  /** Whether the TLS handshake comes before INFO. */
  readonly tlsFirst: boolean;
}

/** A server that is silent for so long may expect TLS first, in milliseconds. */
const SILENT_MS = 300;

/**
 * Waits for the INFO line that every NATS server sends first, and finds out whether the TLS handshake comes before it.
 *
 * 1. Emits once, and completes.
 * 2. If TLS is wanted and the server sends nothing for 300 ms, a handshake is made on a second connection. Whichever
 *    connection gives INFO first decides, so a server that is only slow is not mistaken. `tls.handshakeFirst` decides without
 *    that.
 * 3. Errors with {@link NatsError}, also after `timeoutMs`.
 */
export function natsPreFlight(
  server: NatsServer,
  tls: NatsTls | undefined,
  timeoutMs: number,
): Observable<ServerHabits> {
  const attempt = (tlsFirst: boolean): Observable<ServerHabits> =>
    preFlight(server, { ...(tlsFirst && { tls: tls ?? {} }), timeoutMs }, (socket) =>
      awaitInfo(socket, server.url),
    ).pipe(map(() => ({ tlsFirst })));
  const offered$ = timer(SILENT_MS).pipe(
    switchMap(() => attempt(true)),
    // Any other error says that no handshake was possible; then the first connection gives the reason.
    catchError((error: unknown) =>
      /certificate|alert/i.test(errorText(error)) ? throwError(() => error) : NEVER,
    ),
  );
  const { handshakeFirst = server.secure ? null : false } = tls ?? {};
  return (handshakeFirst === null ? race(attempt(false), offered$) : attempt(handshakeFirst)).pipe(
    catchError((error: unknown) => throwError(() => toNatsError(error, server.url, 'connecting'))),
  );
}

/** The longest wait for a server to close its side, in milliseconds. */
const CLOSING_MS = 200;

/**
 * Emits when the server has sent the beginning of INFO, and errors when it begins with anything else. Before that, the
 * server gets time to close the connection, because it counts towards the limit of connections until then.
 */
function awaitInfo(socket: Socket, url: string): Observable<unknown> {
  return received(socket).pipe(
    filter((text) => text.length >= 6 || !'INFO {'.startsWith(text)),
    take(1),
    switchMap((text) => {
      if (!text.startsWith('INFO {'))
        return throwError(() =>
          toNatsError(new Error('no NATS server answers at this address'), url, 'connecting'),
        );
      socket.end();
      return race(fromEvent(socket, 'end'), timer(CLOSING_MS)).pipe(take(1));
    }),
  );
}

const MAX_RECEIVED = 65_536;

/** Emits everything that was received so far, each time more is received. */
function received(socket: Socket): Observable<string> {
  return fromEvent(socket, 'data').pipe(
    scan((text, bytes) => (text + (bytes as Buffer).toString('latin1')).slice(0, MAX_RECEIVED), ''),
  );
}

/** An error that follows INFO at once would be lost if anything was sent before it is read. */
const READING_MS = 50;

/**
 * Finds out why a server refuses connections, in its own words: logs in like the client and reads `-ERR`, which the client
 * loses when the server closes the connection at once.
 *
 * Emits the words, and completes; completes without a value if the server refuses nothing or does not say why.
 */
export function natsRefusal(
  server: NatsServer,
  tls: NatsTls | undefined,
  { tlsFirst }: ServerHabits,
  authenticator: Authenticator | null,
  timeoutMs: number,
): Observable<string> {
  return preFlight(server, { ...(tlsFirst && { tls: tls ?? {} }), timeoutMs }, (socket) =>
    received(socket).pipe(
      switchMap((text) =>
        refusalIn(text) === undefined ? timer(READING_MS).pipe(map(() => text)) : of(text),
      ),
      take(1),
      switchMap((greeting) => {
        if (refusalIn(greeting) !== undefined) return of(greeting);
        const info = infoIn(greeting);
        const upgrades = !tlsFirst && (server.secure || info.tls_required === true);
        const open$ = upgrades ? startTls(socket, server.hostname, tls ?? {}) : of(socket);
        return open$.pipe(
          switchMap((open) => {
            const login = { verbose: false, pedantic: false, protocol: 1, ...authenticator?.(info.nonce) };
            open.write(`CONNECT ${JSON.stringify(login)}\r\nPING\r\n`);
            return received(open);
          }),
        );
      }),
      takeWhile((text) => !text.includes('PONG\r\n')),
      map(refusalIn),
      filter((words) => words !== undefined),
      take(1),
    ),
  ).pipe(catchError(() => EMPTY));
}

/** The words of an error of the server. */
function refusalIn(text: string): string | undefined {
  return /^-ERR '?(.*?)'?\r\n/m.exec(text)?.[1];
}

function infoIn(text: string): { readonly nonce?: string; readonly tls_required?: boolean } {
  return JSON.parse(/^INFO (\{.*\})/.exec(text)?.[1] ?? '{}') as ReturnType<typeof infoIn>;
}
