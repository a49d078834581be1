import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { afterAll, expect, it } from 'vitest';
import { makeCertificates, type KeyPair } from './certificates.js';
import { describeWith } from './describe-with.js';
import { eventually } from './eventually.js';
import { startNats } from './nats-server.js';

/** Connects like a NATS client, over TLS if options are given, and returns the server's output up to its PONG. */
async function hello(port: number, login: object = {}, tls?: ConnectionOptions): Promise<string> {
  const plain = connect({ port, host: '127.0.0.1' });
  let received = '';
  const info = await new Promise<string>((resolve, reject) => {
    plain.once('error', reject).once('data', (chunk: Buffer) => resolve(chunk.toString()));
  });
  const socket = tls === undefined ? plain : connectTls({ ...tls, socket: plain, host: '127.0.0.1' });
  return new Promise((resolve, reject) => {
    socket.on('error', reject).on('close', () => resolve(info + received));
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString();
      if (/PONG\r\n/.test(received)) socket.end();
    });
    socket.write(`CONNECT ${JSON.stringify({ verbose: false, ...login })}\r\nPING\r\n`);
  });
}

describeWith('nats-server', 'a NATS server of a test', () => {
  it('answers, is killed, and answers again on the same port', async () => {
    await using server = await startNats();
    expect(server.url).toBe(`nats://127.0.0.1:${server.port}`);
    expect(await hello(server.port)).toMatch(/^INFO .*PONG/s);
    await server.kill();
    await expect(hello(server.port)).rejects.toThrow('ECONNREFUSED');
    await server.restart();
    expect(await hello(server.port)).toMatch(/PONG/);
  });

  it('does not answer while it is paused, and answers then', async () => {
    await using server = await startNats();
    await server.pause();
    let answered = false;
    const answer = hello(server.port).then((received) => {
      answered = true;
      return received;
    });
    // An answer to another request, in the meantime.
    await using other = await startNats();
    expect(await hello(other.port)).toMatch(/PONG/);
    expect(answered).toBe(false);
    server.resume();
    expect(await answer).toMatch(/PONG/);
  });

  it('has no process and folder after stop', async () => {
    const server = await startNats();
    const { pid, folder } = server;
    await server.stop();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(existsSync(folder)).toBe(false);
  });

  it('demands a user with a password, a token, or other ones after a restart', async () => {
    const violation = 'Authorization Violation';
    await using server = await startNats({ user: 'u', password: 'p "q"' });
    expect(await hello(server.port)).toContain(violation);
    expect(await hello(server.port, { user: 'u', pass: 'p "q"' })).toMatch(/PONG/);
    await server.restart({ token: '$secret' });
    expect(await hello(server.port, { user: 'u', pass: 'p "q"' })).toContain(violation);
    expect(await hello(server.port, { auth_token: '$secret' })).toMatch(/PONG/);
  });

  it('takes more configuration, and keeps streams in its folder', async () => {
    await using plain = await startNats();
    expect(await hello(plain.port)).not.toContain('"jetstream":true');
    await using server = await startNats({ jetstream: true, configText: 'max_payload: 4096' });
    expect(await hello(server.port)).toMatch(
      /"max_payload":4096.*"jetstream":true|"jetstream":true.*"max_payload":4096/,
    );
    expect(readdirSync(server.folder)).toContain('jetstream');
  });

  it('reports the output of the server if it cannot start', async () => {
    await expect(startNats({ configText: 'max_payload: "none"' })).rejects.toThrow(
      /^nats-server ended with 1:\n.*nats.conf:3/,
    );
    await using server = await startNats();
    await expect(startNats({ port: server.port })).rejects.toThrow('address already in use');
  });
});

describeWith(['nats-server', 'openssl'], 'a NATS server of a test with certificates', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-nats-tls-'));

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('upgrades to TLS, and may demand certificates', async () => {
    const { ca, server: pair, client } = await makeCertificates(folder);
    const read = ({ cert, key }: KeyPair): { cert: Buffer; key: Buffer } => ({
      cert: readFileSync(cert),
      key: readFileSync(key),
    });
    await using server = await startNats({ tls: { ca, ...pair } });
    expect(await hello(server.port, {}, { ca: readFileSync(ca) })).toMatch(/"tls_required":true.*PONG/s);
    await expect(hello(server.port, {}, {})).rejects.toThrow('certificate');
    await server.restart({ tls: { ca, ...pair, verify: true } });
    expect(await hello(server.port, {}, { ca: readFileSync(ca), ...read(client) })).toMatch(/PONG/);
    expect(server.log).not.toContain('handshake error');
    await hello(server.port, {}, { ca: readFileSync(ca) }).catch(() => undefined);
    await eventually(() => server.log.includes('handshake error'));
  });
});
