import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { makeCertificates } from './certificates.js';
import { describeWith } from './describe-with.js';
import { EtcdGateway } from './etcd-gateway.js';
import { startEtcd } from './etcd-server.js';

const keys = async (gateway: EtcdGateway): Promise<string[]> => (await gateway.get('')).map(({ key }) => key);

describeWith('etcd', 'an etcd of a test', () => {
  it('keeps its port and its data over a restart, and loses the data when it is wiped', async () => {
    await using server = await startEtcd();
    const { gateway, pid, url } = server;
    await gateway.put('kept', '');
    await server.kill();
    await expect(gateway.get('')).rejects.toThrow('ECONNREFUSED');
    await server.restart();
    expect(server.pid).not.toBe(pid);
    expect(server.url).toBe(url);
    expect(await keys(gateway)).toEqual(['kept']);

    await server.wipe();
    expect(await keys(gateway)).toEqual([]);
    expect(await gateway.put('again', '')).toBe('2');
  });

  it('does not answer while it is paused, and answers then', async () => {
    await using server = await startEtcd();
    await server.pause();
    let answered = false;
    const answer = server.gateway.put('late', '').then(() => (answered = true));
    // An answer to another request, in the meantime.
    await using other = await startEtcd();
    expect(await keys(other.gateway)).toEqual([]);
    expect(answered).toBe(false);
    server.resume();
    await answer;
    expect(await keys(server.gateway)).toEqual(['late']);
  });

  it('has no process and folder after stop, also while it is paused', async () => {
    const server = await startEtcd();
    const { pid } = server;
    await server.pause();
    await server.stop();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(() => server.pid).toThrow('etcd does not run');
    expect(existsSync(server.folder)).toBe(false);
    await server.stop();
  });

  it('demands a password, after a restart and a wipe too', async () => {
    await using server = await startEtcd({ auth: { username: 'reader', password: 'right' } });
    const anonymous = new EtcdGateway({ url: server.url });
    const liar = new EtcdGateway({ url: server.url, auth: { username: 'reader', password: 'wrong' } });
    for (const again of [() => server.restart(), () => server.wipe(), () => Promise.resolve()]) {
      await server.gateway.put('a', '');
      expect(await keys(server.gateway)).toEqual(['a']);
      await expect(anonymous.get('')).rejects.toThrow('user name is empty');
      await expect(liar.get('')).rejects.toThrow('authentication failed');
      await again();
    }
  });

  it('reports the output of etcd if it cannot start', async () => {
    await using server = await startEtcd();
    await expect(startEtcd({ port: server.port })).rejects.toThrow(
      /etcd ended with 1:[^]*address already in use/,
    );
  });
});

describeWith(['etcd', 'openssl'], 'an etcd of a test with certificates', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-etcd-tls-'));

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('is known by its authority, and may demand certificates', async () => {
    const { ca, otherCa, server: pair, client } = await makeCertificates(folder);
    await using server = await startEtcd({ tls: { ca, ...pair } });
    await using strict = await startEtcd({ tls: { ca, ...pair, clientCertAuth: true } });
    await new EtcdGateway({ url: server.url, tls: { ca } }).put('a', '');
    expect(await keys(server.gateway)).toEqual(['a']);
    await expect(new EtcdGateway({ url: server.url, tls: { ca: otherCa } }).get('')).rejects.toThrow(
      'certificate',
    );
    await new EtcdGateway({ url: strict.url, tls: { ca, ...client } }).put('b', '');
    expect(await keys(strict.gateway)).toEqual(['b']);
    await expect(new EtcdGateway({ url: strict.url, tls: { ca } }).get('')).rejects.toThrow();
  });
});
