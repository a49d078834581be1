import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Observable } from 'rxjs';
import { type EtcdError, toEtcdError } from './etcd-error.js';
import type { EtcdHost, EtcdTls } from './etcd-options.js';

/**
 * Connects to a server, waits until it speaks HTTP/2, and closes.
 *
 * A gRPC channel has no time limit for this: a peer that accepts the connection and says nothing would block it for
 * ever, and the channels made after it. A socket of our own tells it apart, and tells why.
 *
 * 1. Completes when the server has sent its settings.
 * 2. Errors with {@link EtcdError}, also when that takes longer than `timeoutMs`.
 * 3. Unsubscribing closes the socket.
 */
export function etcdPreFlight(
  host: EtcdHost,
  tls: EtcdTls | undefined,
  timeoutMs: number,
): Observable<never> {
  return new Observable((subscriber) => {
    const tried = 'connecting';
    let session: ClientHttp2Session | undefined;
    // What the session makes of the bytes is told by the socket as well, in any order.
    let agreeing = false;
    const fail = (error: Error): void =>
      subscriber.error(
        isNotHttp2(error)
          ? notEtcdError(host, error)
          : toEtcdError(agreeing ? tlsError(error) : error, host.url, tried),
      );
    const speak = (): void => {
      agreeing = false;
      session = connectHttp2(host.url, { createConnection: () => socket });
      session.on('error', fail);
      session.on('close', () => fail(new Error(`it closed the connection before it spoke${hint(host)}`)));
      session.once('remoteSettings', () => subscriber.complete());
    };
    const socket: Socket = host.secure
      ? connectTls({ ...target(host), ...certificates(tls), ALPNProtocols: ['h2'] }, speak)
      : connectTcp(target(host), speak);
    socket.once('connect', () => (agreeing = host.secure));
    socket.on('error', fail);
    const timer = setTimeout(
      () => fail(new Error(`it accepts connections but says nothing: timed out after ${timeoutMs} ms`)),
      timeoutMs,
    );
    return () => {
      clearTimeout(timer);
      session?.destroy();
      // Errors that come after the end have nobody to be told to, and must not end the process.
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

/** A server that wants TLS cannot say so to one who does not speak it. */
function hint({ secure }: EtcdHost): string {
  return secure ? '' : ', as a server does that wants https';
}

/** A server that speaks no TLS may answer it with a reset, which says nothing of why. */
function tlsError(cause: Error): Error {
  return new Error(`before TLS was agreed: ${cause.message}`, { cause });
}

function isNotHttp2(error: Error & { code?: string }): boolean {
  return error.code === 'ERR_HTTP2_ERROR' || error.code === 'ERR_HTTP2_SESSION_ERROR';
}

function notEtcdError({ url }: EtcdHost, cause: Error): EtcdError {
  return toEtcdError(
    new Error(`what answers speaks no HTTP/2: Protocol error`, { cause }),
    url,
    'connecting',
  );
}
