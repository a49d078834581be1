import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { overCuts } from './over-cuts.js';
import { startWorld } from './etcd-behind-proxy.js';

describeWith('etcd', 'every value is told, once and in order', () => {
  it('over 40 cuts 0 to 400 ms apart', () => overCuts(40));

  it('over a minute of refused connections', async () => {
    await using world = await startWorld();
    using follower = world.follow();
    await follower.until('live');
    await world.proxy.refuse(true);
    world.proxy.cut();
    for (let second = 0; second < 60; second += 1) {
      await world.truth.many('v1/', 4);
      await sleep(1_000);
    }
    await world.proxy.refuse(false);
    await follower.hears(world.truth);
    expect(follower.resyncs).toBe(0);
  });
});
