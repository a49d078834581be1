import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { fasterScheduler } from './schedulers.js';
import { startEtcdBehindProxy } from './etcd-behind-proxy.js';

const auth = { username: 'tidemark', password: 'tide-and-mark' };

describeWith('etcd', 'a server that requires a password', () => {
  it('stays live when a token has expired', async () => {
    await using setup = await startEtcdBehindProxy({ auth, authTokenTtlSeconds: 1 });
    using recorder = setup.record({ auth, scheduler: fasterScheduler(2) });
    await recorder.until('live');
    // Until a probe or an audit uses the expired token.
    await sleep(5_000);
    expect(setup.server.log).toMatch(/deleted a simple token/);
    await setup.writer.writeMany('v1/', 3);
    await recorder.receivesAll(setup.writer);
    expect(recorder.statuses.map(({ state }) => state)).toEqual(['connecting', 'live']);
  });
});
