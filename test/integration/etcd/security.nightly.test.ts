import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { hurried } from './schedulers.js';
import { startWorld } from './etcd-behind-proxy.js';

const auth = { username: 'tidemark', password: 'tide-and-mark' };

describeWith('etcd', 'a server that wants a password', () => {
  it('stays live when a token has run out', async () => {
    await using world = await startWorld({ auth, authTokenTtlSeconds: 1 });
    using follower = world.follow({ auth, scheduler: hurried(2) });
    await follower.until('live');
    // Until a probe or an audit comes with a token that is no longer good.
    await sleep(5_000);
    expect(world.server.log).toMatch(/deleted a simple token/);
    await world.truth.many('v1/', 3);
    await follower.hears(world.truth);
    expect(follower.statuses.map(({ state }) => state)).toEqual(['connecting', 'live']);
  });
});
