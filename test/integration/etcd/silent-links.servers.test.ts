import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { fasterScheduler } from './schedulers.js';
import { play, silences } from './silences.js';
import { startEtcdBehindProxy } from './etcd-behind-proxy.js';

describeWith('etcd', 'a silent link', () => {
  it.concurrent.each(silences)('$name is detected, and no change is lost', async (silence) => {
    await using setup = await startEtcdBehindProxy();
    using recorder = setup.record({ scheduler: fasterScheduler(4) });
    await recorder.until('live');
    // One connection for everything: requests use the connection of the watch.
    await eventually(() => setup.proxy.connections === 1);
    await setup.writer.writeMany('v1/', 5);
    await play(setup, recorder, silence);
    expect(recorder.reasons).toContain('timed out');
    await setup.writer.writeMany('v1/', 5);
    await recorder.receivesAll(setup.writer);
    expect(recorder.resyncs).toBe(0);
  });
});
