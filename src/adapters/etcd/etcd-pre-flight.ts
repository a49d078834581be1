import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Observable } from 'rxjs';
import { type EtcdError, toEtcdError } from './etcd-error.js';
import type { EtcdHost, EtcdTls } from './etcd-options.js';

/**
 * Connects to a server, waits for its first HTTP/2 frame, and closes the connection.
 *
 * A gRPC channel has no time limit for this: a peer that accepts a connection and sends nothing would block it, and
 * later channels, forever. A separate socket detects such a peer and gives the reason.
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
  return new Observable((subscriber) => {
    let session: ClientHttp2Session | undefined;
    // The session and the socket report the same failure, in either order.
    let isHandshaking = false;
    const fail = (error: Error): void =>
      subscriber.error(
        isNotHttp2(error)
          ? notEtcdError(host, error)
          : toEtcdError(isHandshaking ? tlsError(error) : error, host.url, 'connecting'),
      );
    const startHttp2 = (): void => {
      isHandshaking = false;
      session = connectHttp2(host.url, { createConnection: () => socket });
      session.on('error', fail);
      session.on('close', () =>
        fail(new Error(`the server closed the connection before it answered${hint(host)}`)),
      );
      session.once('remoteSettings', () => subscriber.complete());
    };
    const socket: Socket = host.secure
      ? connectTls({ ...target(host), ...certificates(tls), ALPNProtocols: ['h2'] }, startHttp2)
      : connectTcp(target(host), startHttp2);
    socket.once('connect', () => (isHandshaking = host.secure));
    socket.on('error', fail);
    const timer = setTimeout(
      () =>
        fail(
          new Error(`the server accepts connections but does not answer: timed out after ${timeoutMs} ms`),
        ),
      timeoutMs,
    );
    return () => {
      clearTimeout(timer);
      session?.destroy();
      // Errors after the end have no subscriber and must not crash the process.
      socket
        .removeListener('error', fail)
        .on('error', () => undefined)
        .destroy();
    };
  });
}

function target({ hostname, port }: EtcdHost): { host: string; port: number } {
  return { host: hostname, port };
}

function certificates(tls: EtcdTls | undefined): Record<string, Buffer | string> {
  return {
    ...(tls?.ca !== undefined && { ca: Buffer.from(tls.ca) }),
    ...(tls?.cert !== undefined && { cert: Buffer.from(tls.cert) }),
    ...(tls?.key !== undefined && { key: Buffer.from(tls.key) }),
    ...(tls?.serverName !== undefined && { servername: tls.serverName }),
  };
}

/** A server that requires TLS cannot say so over a plain connection. */
function hint({ secure }: EtcdHost): string {
  return secure ? '' : ', which may mean that it requires https';
}

/** A server without TLS may answer with a reset, which does not explain why. */
function tlsError(cause: Error): Error {
  return new Error(`the TLS handshake failed: ${cause.message}`, { cause });
}

function isNotHttp2(error: Error & { code?: string }): boolean {
  return error.code === 'ERR_HTTP2_ERROR' || error.code === 'ERR_HTTP2_SESSION_ERROR';
}

function notEtcdError({ url }: EtcdHost, cause: Error): EtcdError {
  return toEtcdError(
    new Error(`the server does not use HTTP/2: Protocol error`, { cause }),
    url,
    'connecting',
  );
}
