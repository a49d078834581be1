import { connect as connectHttp2 } from 'node:http2';
import type { Socket } from 'node:net';
import { Observable, catchError, throwError } from 'rxjs';
import { preFlight } from '../connections/pre-flight.js';
import { toEtcdError } from './etcd-error.js';
import type { EtcdHost, EtcdTls } from './etcd-options.js';

/**
 * Connects to a server, waits for its first HTTP/2 frame, and closes the connection.
 *
 * 1. Completes when the server has sent its settings.
 * 2. Errors with {@link EtcdError}, also after `timeoutMs`.
 * 3. Unsubscribing closes the socket.
 */
export function etcdPreFlight(
  host: EtcdHost,
  tls: EtcdTls | undefined,
  timeoutMs: number,
): Observable<never> {
  const options = {
    timeoutMs,
    ...(host.secure && { tls: { ...certificates(tls), ALPNProtocols: ['h2'] } }),
  };
  return preFlight(host, options, (socket) => firstSettings(host.url, socket)).pipe(
    catchError((error: unknown) => {
      return throwError(() => toEtcdError(explained(error, host), host.url, 'connecting'));
    }),
  );
}

/** What an error of the handshake means. A server that requires TLS cannot say so over a plain connection. */
function explained(error: unknown, { secure }: EtcdHost): unknown {
  const { code, message = '' } = error as Partial<NodeJS.ErrnoException>;
  if (code === 'ERR_HTTP2_ERROR' || code === 'ERR_HTTP2_SESSION_ERROR')
    return new Error('the server does not use HTTP/2: Protocol error', { cause: error });
  if (secure || !message.endsWith('before it answered')) return error;
  return new Error(`${message}, which may mean that it requires https`, { cause: error });
}

/** Completes when a server has sent the settings of HTTP/2. */
function firstSettings(url: string, socket: Socket): Observable<never> {
  return new Observable((subscriber) => {
    const session = connectHttp2(url, { createConnection: () => socket });
    session.on('error', (error) => subscriber.error(error));
    session.once('remoteSettings', () => subscriber.complete());
    return () => session.destroy();
  });
}

function certificates(tls: EtcdTls | undefined): Record<string, Buffer | string> {
  return {
    ...(tls?.ca !== undefined && { ca: Buffer.from(tls.ca) }),
    ...(tls?.cert !== undefined && { cert: Buffer.from(tls.cert) }),
    ...(tls?.key !== undefined && { key: Buffer.from(tls.key) }),
    ...(tls?.serverName !== undefined && { servername: tls.serverName }),
  };
}
