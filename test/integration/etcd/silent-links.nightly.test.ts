import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { play, silences } from './silences.js';
import { startWorld } from './etcd-behind-proxy.js';

describeWith('etcd', 'a link that is silent', () => {
  it('that accepts and holds connections is left within 3 s, and leaves no socket', async () => {
    await using world = await startWorld();
    using follower = world.follow();
    await follower.until('live');
    const { mark } = follower;
    world.proxy.hold(true);
    world.proxy.cut();
    await follower.until('down', mark);
    await world.truth.many('v1/', 20);
    await sleep(30_000);
    expect(follower.whys).toContain('says nothing: timed out after 3000 ms');
    expect(world.proxy.connections).toBeLessThanOrEqual(1);
    await world.proxy.heal();
    await follower.hears(world.truth);
    await eventually(() => world.proxy.connections === 1);
    expect(follower.resyncs).toBe(0);
  });

  it.each(silences)('$name, in real time', async (silence) => {
    await using world = await startWorld();
    using follower = world.follow();
    await follower.until('live');
    await sleep(7_000);
    const { noticed, healed } = await play(world, follower, silence);
    const inSeconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
    process.stdout.write(
      `${silence.name}: noticed after ${inSeconds(noticed)}, live ${inSeconds(healed)} after healing\n`,
    );
    await world.truth.many('v1/', 5);
    await follower.hears(world.truth);
  });
});
