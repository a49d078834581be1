import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { waitForLeaseExpiry, Registered } from './registered.js';
import { startEtcdBehindProxy } from './etcd-behind-proxy.js';

describeWith('etcd', 'registerWorker', () => {
  it('detects a half-open connection before the lease expires, and keeps the keys', async () => {
    await using setup = await startEtcdBehindProxy();
    using worker = new Registered(setup, { ttlSeconds: 8 });
    await worker.until('registered');
    const before = await setup.server.gateway.get('');
    const { statusCount } = worker;
    setup.proxy.halfOpen('both');
    await worker.until('down', statusCount);
    await setup.proxy.heal();
    await worker.until('registered', statusCount);
    await waitForLeaseExpiry(setup, 8);
    expect(await setup.server.gateway.get('')).toEqual(before);
  });
});
