import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { KeyPair } from './certificates.js';

/** Plays a NATS server with `handshake_first: true`, which Debian's release does not have: TLS first, INFO inside of it. */
export class TlsFirstServer implements AsyncDisposable {
  private readonly sockets = new Set<TLSSocket>();

  private constructor(private readonly listener: Server) {}

  get port(): number {
    return (this.listener.address() as AddressInfo).port;
  }

  /** @param ca the authority of clients, if they need a certificate */
  static async start({ cert, key }: KeyPair, ca?: string): Promise<TlsFirstServer> {
    const info = { server_id: 'X', version: '2.10.12', proto: 1, max_payload: 1_048_576, tls_required: true };
    const options = { cert: readFileSync(cert), key: readFileSync(key) };
    const verify = ca !== undefined && { ca: readFileSync(ca), requestCert: true, rejectUnauthorized: true };
    const listener = createServer({ ...options, ...verify }, (socket) => {
      server.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('data', (bytes: Buffer) => {
        if (bytes.toString('latin1').includes('PING')) socket.write('PONG\r\n');
      });
      socket.write(`INFO ${JSON.stringify({ headers: true, ...info })}\r\n`);
    });
    const server = new TlsFirstServer(listener);
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.listener.close(resolve));
  }
}
