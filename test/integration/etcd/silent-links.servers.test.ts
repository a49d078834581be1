import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { hurried } from './schedulers.js';
import { play, silences } from './silences.js';
import { startWorld } from './etcd-behind-proxy.js';

describeWith('etcd', 'a link that is silent', () => {
  it.concurrent.each(silences)('$name is noticed, and nothing is lost', async (silence) => {
    await using world = await startWorld();
    using follower = world.follow({ scheduler: hurried(4) });
    await follower.until('live');
    // One connection for everything: what is asked goes where the watch is.
    await eventually(() => world.proxy.connections === 1);
    await world.truth.many('v1/', 5);
    await play(world, follower, silence);
    expect(follower.whys).toContain('timed out');
    await world.truth.many('v1/', 5);
    await follower.hears(world.truth);
    expect(follower.resyncs).toBe(0);
  });
});
