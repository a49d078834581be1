import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from './describe-with.js';
import type { EtcdGateway } from './etcd-gateway.js';
import { startEtcd, type EtcdServer } from './etcd-server.js';

describeWith('etcd', 'etcd’s gateway', () => {
  let server: EtcdServer;
  let gateway: EtcdGateway;

  beforeAll(async () => {
    server = await startEtcd();
    ({ gateway } = server);
  });

  afterAll(() => server.stop());

  it('keys are written, listed with their revisions, and deleted', async () => {
    const bytes = new Uint8Array([0, 255, 10]);
    const first = await gateway.put('keys/a', 'text');
    const second = await gateway.put('keys/ü', bytes);
    await gateway.put('keyt', 'not below keys/');
    expect(BigInt(second)).toBe(BigInt(first) + 1n);
    expect(await gateway.get('keys/')).toEqual([
      {
        key: 'keys/a',
        value: new TextEncoder().encode('text'),
        createRevision: first,
        modRevision: first,
        version: '1',
        lease: '0',
      },
      { key: 'keys/ü', value: bytes, createRevision: second, modRevision: second, version: '1', lease: '0' },
    ]);
    await gateway.delete('keys/a');
    expect((await gateway.get('')).map(({ key }) => key)).toEqual(['keys/ü', 'keyt']);
    const gone = await gateway.deletePrefix('keys/');
    expect(BigInt(gone)).toBe(BigInt(second) + 3n);
    expect(await gateway.get('keys/')).toEqual([]);
  });

  it('leases have exact ids of 64 bits and take their keys along', async () => {
    const id = '7587888657184927289';
    expect(await gateway.grant(600, id)).toBe(id);
    await gateway.put('leased/a', '', id);
    const [stored] = await gateway.get('leased/');
    expect(stored?.lease).toBe(id);
    const other = await gateway.grant(600);
    expect(BigInt(other)).toBeGreaterThan(2n ** 53n);
    await gateway.revoke(id);
    expect(await gateway.get('leased/')).toEqual([]);
  });

  it('history is compacted', async () => {
    const revision = await gateway.put('compacted', '');
    await gateway.compact(revision);
    await expect(gateway.compact(revision)).rejects.toThrow('has been compacted');
    expect(await gateway.get('compacted')).toHaveLength(1);
  });

  it('a refusal is an error with etcd’s reason', async () => {
    await expect(gateway.put('x', '', '12345')).rejects.toThrow('requested lease not found');
  });
});
