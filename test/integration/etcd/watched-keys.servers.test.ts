import { Buffer } from 'node:buffer';
import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { freePort } from '../../support/free-port.js';
import { startWorld } from './etcd-behind-proxy.js';

describeWith('etcd', 'what is watched, and where', () => {
  it.concurrent('several prefixes: one snapshot, and the changes of all, over a restart', async () => {
    await using world = await startWorld();
    await world.truth.put('a/1', 'x');
    await world.truth.put('b/1', 'x');
    await world.truth.put('c/1', 'x');
    using follower = world.follow({ prefixes: ['a/', 'b/'] });
    const { mark } = follower;
    await follower.until('live', mark);
    expect(follower.kinds).toEqual(['snapshot']);
    expect([...follower.present.keys()]).toEqual(['a/1', 'b/1']);
    await world.server.restart();
    await follower.until('down', mark);
    await world.truth.put('b/2', 'x');
    await world.truth.put('a/2', 'x');
    await world.truth.put('c/2', 'x');
    await eventually(() => follower.present.size === 4);
    expect([...follower.present.keys()].sort()).toEqual(['a/1', 'a/2', 'b/1', 'b/2']);
    expect(follower.resyncs).toBe(0);
  });

  it.concurrent('an empty prefix is every key', async () => {
    await using world = await startWorld();
    await world.truth.put('a', 'x');
    using follower = world.follow({ prefixes: '' });
    await follower.until('live');
    await world.truth.put('b', 'x');
    await follower.hears(world.truth);
  });

  it.concurrent('several hosts, of which one is dead: the next one is taken', async () => {
    await using world = await startWorld();
    const dead = `http://127.0.0.1:${await freePort()}`;
    using follower = world.follow({ hosts: [dead, world.hosts] });
    await follower.until('live');
    expect(follower.whys).toContain(`etcd at ${dead}`);
    await world.truth.many('v1/', 3);
    const { mark } = follower;
    world.proxy.cut();
    await follower.until('live', mark);
    await follower.hears(world.truth);
  });

  it.concurrent('keyPrefix is not part of the reported keys', async () => {
    await using world = await startWorld();
    await world.truth.gateway.put('v1/other', 'x');
    await world.truth.gateway.put('fleet/v1/one', 'x');
    using follower = world.follow({ keyPrefix: 'fleet/' });
    await follower.until('live');
    await world.truth.gateway.put('fleet/v1/two', 'x');
    await world.truth.gateway.delete('fleet/v1/one');
    await eventually(() => follower.reported.length === 3);
    expect([...follower.present.keys()]).toEqual(['v1/two']);
  });

  it.concurrent('keys that are no UTF-8 are left out, and harm no other', async () => {
    await using world = await startWorld();
    const bytes = (last: number): Buffer => Buffer.from([...Buffer.from('v1/'), last]);
    await world.truth.gateway.put(bytes(0xff), 'x');
    await world.truth.gateway.put(bytes(0xfe), 'x');
    await world.truth.gateway.put('v1/€', 'x');
    using follower = world.follow();
    await follower.until('live');
    await world.truth.gateway.put(bytes(0xfe), 'y');
    await world.truth.gateway.delete(bytes(0xff));
    await world.truth.gateway.put('v1/after', 'y');
    await eventually(() => follower.present.has('v1/after'));
    const { mark } = follower;
    world.proxy.cut();
    await follower.until('live', mark + 1);
    expect([...follower.present.keys()]).toEqual(['v1/€', 'v1/after']);
    expect(follower.reported).toHaveLength(2);
    expect(follower.resyncs).toBe(0);
  });

  it.concurrent('a value of 1 MB comes whole', async () => {
    await using world = await startWorld();
    using follower = world.follow();
    await follower.until('live');
    await world.truth.put('v1/large', Buffer.alloc(1_000_000, 7));
    await follower.hears(world.truth);
  });

  it.concurrent('more keys than one answer holds are listed at one revision', async () => {
    await using world = await startWorld();
    for (let at = 0; at < 12; at += 1)
      await Promise.all(Array.from({ length: 100 }, (_, i) => world.truth.gateway.put(`v1/${at}/${i}`, 'x')));
    using follower = world.follow();
    await follower.until('live');
    await world.truth.gateway.deletePrefix('v1/7/');
    await follower.knows(world.truth, 'v1/');
    expect(follower.present.size).toBe(1_100);
    expect(follower.kinds.filter((kind) => kind !== 'changes')).toEqual(['snapshot']);
  });
});
