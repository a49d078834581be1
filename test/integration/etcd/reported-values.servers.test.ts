import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { overCuts } from './over-cuts.js';
import { startWorld } from './etcd-behind-proxy.js';

describeWith('etcd', 'every value is reported, once and in order', () => {
  it.concurrent('over a server that is killed and started again', async () => {
    await using world = await startWorld();
    using follower = world.follow();
    await follower.until('live');
    await world.truth.many('v1/', 20);
    const { mark } = follower;
    await world.server.restart();
    await follower.until('down', mark);
    await world.truth.many('v1/', 20);
    await follower.until('live', mark);
    await world.truth.many('v1/', 5);
    await follower.hears(world.truth);
    expect(follower.resyncs).toBe(0);
  });

  it.concurrent('over refused connections, with 200 changes meanwhile', async () => {
    await using world = await startWorld();
    using follower = world.follow();
    await follower.until('live');
    const { mark } = follower;
    await world.proxy.refuse(true);
    world.proxy.cut();
    const { why } = await follower.until('down', mark);
    expect(why).toContain(`etcd at ${world.hosts}`);
    await world.truth.many('v1/', 200);
    await world.proxy.refuse(false);
    await follower.hears(world.truth);
    expect(follower.resyncs).toBe(0);
  });

  it.concurrent('from a server that was away at the start', async () => {
    await using world = await startWorld();
    await world.server.kill();
    using follower = world.follow();
    const { why, retryInMs } = await follower.until('down');
    expect(why).toContain('Check that etcd');
    expect(retryInMs).toBeGreaterThanOrEqual(0);
    await world.server.restart();
    await world.truth.many('v1/', 3);
    await follower.until('live');
    await world.truth.many('v1/', 3);
    await follower.knows(world.truth, 'v1/');
    expect(follower.kinds[0]).toBe('snapshot');
  });

  it.concurrent('over a second cut right after it is live, before the first gap was replayed', async () => {
    await using world = await startWorld();
    using follower = world.follow();
    await follower.until('live');
    for (let round = 0; round < 3; round += 1) {
      const { mark } = follower;
      await world.proxy.refuse(true);
      world.proxy.cut();
      await follower.until('down', mark);
      await world.truth.many('v1/', 20);
      await world.proxy.refuse(false);
      await follower.until('live', mark);
      world.proxy.cut();
    }
    await follower.hears(world.truth);
    expect(follower.resyncs).toBe(0);
  });

  it.concurrent('over cuts 0 to 400 ms apart', () => overCuts(12));

  it.concurrent('over a replay of 9 MB, and the deletion of all that', async () => {
    await using world = await startWorld();
    using follower = world.follow();
    await follower.until('live');
    await world.proxy.refuse(true);
    world.proxy.cut();
    for (let at = 0; at < 9; at += 1) await world.truth.put(`v1/${at}`, Buffer.alloc(1_000_000, at));
    await world.proxy.refuse(false);
    await follower.hears(world.truth);
    // All deletions have one revision.
    const { mark } = follower;
    world.proxy.cut();
    await follower.until('down', mark);
    await world.truth.gateway.deletePrefix('v1/');
    await follower.knows(world.truth, 'v1/');
    expect(follower.reported).toHaveLength(18);
    expect(follower.resyncs).toBe(0);
  });

  it.concurrent('to one who reads slowly, over a cut', async () => {
    await using world = await startWorld();
    using follower = world.follow();
    await follower.until('live');
    world.proxy.delay(30);
    await world.truth.many('v1/', 50);
    world.proxy.cut();
    await world.truth.many('v1/', 50);
    await follower.hears(world.truth);
    expect(follower.resyncs).toBe(0);
  });
});
