import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { aLeaseRunsOut, Registered } from './registered.js';
import { startWorld } from './etcd-behind-proxy.js';

describeWith('etcd', 'a worker that registers', () => {
  it('over a half-open connection: it is noticed while the lease lives, and the keys stay', async () => {
    await using world = await startWorld();
    using worker = new Registered(world, { ttlSeconds: 8 });
    await worker.until('registered');
    const before = await world.server.gateway.get('');
    const { mark } = worker;
    world.proxy.halfOpen('both');
    await worker.until('down', mark);
    await world.proxy.heal();
    await worker.until('registered', mark);
    await aLeaseRunsOut(world, 8);
    expect(await world.server.gateway.get('')).toEqual(before);
  });
});
