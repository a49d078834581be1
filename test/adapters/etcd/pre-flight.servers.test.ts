import { firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { parseEtcdHosts } from '../../../src/adapters/etcd/etcd-options.js';
import { etcdPreFlight } from '../../../src/adapters/etcd/etcd-pre-flight.js';
import { eventually } from '../../support/eventually.js';
import { startFaultProxy } from '../../support/fault-proxy.js';

describe('preFlight', () => {
  it('gives up on a peer that accepts connections and does not answer, and closes the socket', async () => {
    await using proxy = await startFaultProxy({ to: 1 });
    proxy.hold(true);
    const [host] = parseEtcdHosts({ hosts: `http://127.0.0.1:${proxy.port}` });
    if (host === undefined) throw new Error('no host');
    await expect(firstValueFrom(etcdPreFlight(host, undefined, 200))).rejects.toMatchObject({
      code: 'etcd-silent',
      message: expect.stringContaining(
        'accepts connections but does not answer: timed out after 200 ms',
      ) as string,
    });
    expect(proxy.accepted).toBe(1);
    await eventually(() => proxy.connections === 0);
  });

  it('closes its socket on unsubscription', async () => {
    await using proxy = await startFaultProxy({ to: 1 });
    proxy.hold(true);
    const [host] = parseEtcdHosts({ hosts: `http://127.0.0.1:${proxy.port}` });
    if (host === undefined) throw new Error('no host');
    const subscription = etcdPreFlight(host, undefined, 60_000).subscribe();
    await eventually(() => proxy.connections === 1);
    subscription.unsubscribe();
    await eventually(() => proxy.connections === 0);
  });
});
