import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { hurried } from './schedulers.js';
import { startWorld } from './etcd-behind-proxy.js';

describeWith('etcd', 'history that the server has lost', () => {
  it.concurrent(
    'compacted while the connection was down: the difference is reported as a resync',
    async () => {
      await using world = await startWorld();
      using follower = world.follow();
      await follower.until('live');
      await world.truth.many('v1/', 7);
      await follower.hears(world.truth);
      await world.proxy.refuse(true);
      world.proxy.cut();
      await world.truth.many('v1/', 30);
      await world.truth.gateway.compact(await world.truth.put('v1/last', 'x'));
      await world.proxy.refuse(false);
      await follower.knows(world.truth, 'v1/');
      expect(follower.kinds.at(-1)).toBe('resync');
      expect(follower.whys).toContain('compacted away');
      await follower.until('live', follower.mark - 1);
      const { length } = follower.reported;
      await world.truth.put('v1/after', 'x');
      await eventually(() => follower.reported.length > length);
      expect(follower.reported.slice(length)).toEqual(world.truth.written.slice(-1));
    },
  );

  it.concurrent('compacted while it was live and quiet: what was never there is not missed', async () => {
    await using world = await startWorld();
    using follower = world.follow();
    await follower.until('live');
    await world.truth.many('v1/', 3);
    // Elsewhere in the store there is traffic, so that the revision of the prefix grows old.
    for (let at = 0; at < 20; at += 1) await world.truth.gateway.put('elsewhere', `${at}`);
    await world.truth.gateway.compact(await world.truth.gateway.put('elsewhere', 'x'));
    const { mark } = follower;
    world.proxy.cut();
    await follower.until('down', mark);
    await follower.until('live', mark);
    await world.truth.many('v1/', 3);
    await follower.knows(world.truth, 'v1/');
    // Nothing of the prefix was lost: the resync, if there is one, has nothing to say.
    expect(follower.reported).toEqual(world.truth.written);
  });

  it.concurrent(
    'a deletion at the very revision of a compaction, which etcd 3.4 loses: found by the audit',
    async () => {
      await using world = await startWorld();
      using follower = world.follow({ scheduler: hurried(4) });
      await follower.until('live');
      await world.truth.put('v1/stays', 'x');
      await world.truth.put('v1/goes', 'x');
      await follower.hears(world.truth);
      await world.proxy.refuse(true);
      world.proxy.cut();
      const deletion = await world.truth.delete('v1/goes');
      await world.truth.gateway.compact(deletion);
      await world.proxy.refuse(false);
      await follower.knows(world.truth, 'v1/');
      // The watch itself noticed nothing.
      expect(follower.whys).not.toContain('compacted');
      expect(follower.kinds.at(-1)).toBe('resync');
    },
  );

  it.concurrent.each([
    ['replayed', false],
    ['reported as a difference after a compaction', true],
  ])('5 leases that ran out while the connection was down: %s', async (_, compacted) => {
    await using world = await startWorld();
    using follower = world.follow();
    await follower.until('live');
    const leases = await Promise.all(Array.from({ length: 5 }, () => world.truth.gateway.grant(1)));
    for (const lease of leases) await world.truth.put(`v1/${lease}`, 'x', lease);
    await world.truth.put('v1/stays', 'x');
    await follower.hears(world.truth);
    await world.proxy.refuse(true);
    world.proxy.cut();
    await eventually(async () => (await world.truth.gateway.get('v1/')).length === 1);
    const last = await world.truth.put('v1/stays', 'y');
    if (compacted) await world.truth.gateway.compact(last);
    await world.proxy.refuse(false);
    await follower.knows(world.truth, 'v1/');
    expect(follower.reported.filter((text) => text.startsWith('delete'))).toHaveLength(5);
    expect(follower.resyncs).toBe(compacted ? 1 : 0);
  });

  it.concurrent.each([
    ['fewer changes than the old one', 3],
    ['more changes than the old one', 60],
  ])('a store that was replaced by one with %s', async (_, count) => {
    await using world = await startWorld();
    using follower = world.follow({ scheduler: hurried(4) });
    await follower.until('live');
    await world.truth.many('v1/', 20);
    await world.truth.put('v1/old', 'x');
    await follower.hears(world.truth);
    await world.proxy.refuse(true);
    world.proxy.cut();
    await world.server.wipe();
    for (let at = 0; at < count; at += 1) await world.truth.gateway.put(`v1/${at % 9}`, `new ${at}`);
    await world.proxy.refuse(false);
    await follower.knows(world.truth, 'v1/');
    expect(follower.kinds.at(-1)).toBe('resync');
    await world.truth.gateway.put('v1/new', 'x');
    await follower.knows(world.truth, 'v1/');
    expect([...follower.present.keys()]).not.toContain('v1/old');
  });

  it.concurrent(
    'a store that was replaced under a connection that seems to stay: found by the audit',
    async () => {
      await using world = await startWorld();
      using follower = world.follow({ scheduler: hurried(4) });
      await follower.until('live');
      await world.truth.many('v1/', 20);
      await follower.hears(world.truth);
      await world.server.wipe();
      await world.truth.gateway.put('v1/new', 'x');
      await follower.knows(world.truth, 'v1/');
    },
  );
});
