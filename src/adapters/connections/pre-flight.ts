import { type Socket, connect as connectTcp, isIP } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import {
  Observable,
  catchError,
  defer,
  dematerialize,
  materialize,
  of,
  switchMap,
  tap,
  throwError,
} from 'rxjs';
import { answerWithin } from '../../operators/answer-within.js';
import { TidemarkError } from '../../operators/tidemark-error.js';
import { monotonicScheduler } from '../clock/monotonic-scheduler.js';
import type { ServerUrl } from './server-urls.js';

/** How to make a {@link preFlight}. */
export interface PreFlightOptions {
  /** Present if the connection begins with a TLS handshake. */
  readonly tls?: ConnectionOptions | undefined;
  readonly timeoutMs: number;
}

/**
 * Connects to a server, lets `talk` find out whether the expected server answers, and closes the connection.
 *
 * The clients have no time limit for a peer that accepts connections and sends nothing: one waits forever, another leaks
 * a socket for every attempt. A separate socket detects such a peer and gives the reason.
 *
 * 1. Emits what `talk` emits, and completes with it.
 * 2. Errors when the connection fails or ends, and when `talk` neither emits nor completes within `timeoutMs`.
 * 3. Unsubscribing closes the socket.
 */
export function preFlight<T>(
  { hostname, port }: Pick<ServerUrl, 'hostname' | 'port'>,
  { tls, timeoutMs }: PreFlightOptions,
  talk: (socket: Socket) => Observable<T>,
): Observable<T> {
  return defer(() => {
    let connected = false;
    return openSocket((opened) => connectTcp({ host: hostname, port }, opened)).pipe(
      tap(() => (connected = true)),
      switchMap((socket) => (tls === undefined ? of(socket) : startTls(socket, hostname, tls))),
      // The socket does not complete, so the end of the talk is passed on as a value.
      switchMap((socket) => talk(socket).pipe(materialize())),
      dematerialize(),
      answerWithin(timeoutMs, monotonicScheduler),
      catchError((error: unknown) =>
        throwError(() =>
          connected && error instanceof TidemarkError && error.code === 'no-answer'
            ? new TidemarkError(
                'no-answer',
                `the server accepts connections but does not answer: timed out after ${timeoutMs} ms`,
              )
            : error,
        ),
      ),
    );
  });
}

/** Makes a TLS handshake on a connected socket, and emits the encrypted socket. */
export function startTls(socket: Socket, hostname: string, tls: ConnectionOptions): Observable<Socket> {
  const serverName = isIP(hostname) === 0 && { servername: hostname };
  return openSocket(
    (opened) => connectTls({ ...serverName, ...tls, host: hostname, socket }, opened),
    'the TLS handshake failed: ',
  );
}

/** Emits a socket when it is open, and destroys it on unsubscription. `prefix` begins the text of earlier errors. */
function openSocket(create: (opened: () => void) => Socket, prefix = ''): Observable<Socket> {
  return new Observable((subscriber) => {
    let isOpen = false;
    const socket = create(() => {
      isOpen = true;
      subscriber.next(socket);
    });
    // The listeners stay: an error after the end must not crash the process.
    socket.on('error', (cause) =>
      subscriber.error(isOpen || prefix === '' ? cause : new Error(`${prefix}${cause.message}`, { cause })),
    );
    socket.on('close', () =>
      subscriber.error(new Error('the server closed the connection before it answered')),
    );
    return () => socket.destroy();
  });
}
