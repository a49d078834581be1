import { connect, type Socket } from 'node:net';
import { Observable } from 'rxjs';
import type { NatsServer } from './nats-server.js';
import { natsTroubleOf } from './nats-trouble.js';

/**
 * Connects to a server, waits for the line with which every NATS server begins, and closes.
 *
 * The client leaves a socket behind for every try at a peer that accepts connections and says nothing. A socket of
 * our own finds such a peer out, and is closed.
 *
 * 1. Completes when the server has said what it is.
 * 2. Errors with {@link NatsTrouble}, also when that takes longer than `timeoutMs`.
 * 3. Unsubscribing closes the socket.
 */
export function natsPreFlight({ hostname, port, url }: NatsServer, timeoutMs: number): Observable<never> {
  return new Observable((subscriber) => {
    const fail = (error: Error): void => subscriber.error(natsTroubleOf(error, url, 'connecting'));
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
