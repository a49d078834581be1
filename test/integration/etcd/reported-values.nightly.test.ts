import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { overCuts } from './over-cuts.js';
import { startEtcdBehindProxy } from './etcd-behind-proxy.js';

describeWith('etcd', 'every value is reported, once and in order', () => {
  it('over 40 disconnects 0 to 400 ms apart', () => overCuts(40));

  it('over a minute of refused connections', async () => {
    await using setup = await startEtcdBehindProxy();
    using recorder = setup.record();
    await recorder.until('live');
    await setup.proxy.refuse(true);
    setup.proxy.cut();
    for (let second = 0; second < 60; second += 1) {
      await setup.writer.writeMany('v1/', 4);
      await sleep(1_000);
    }
    await setup.proxy.refuse(false);
    await recorder.receivesAll(setup.writer);
    expect(recorder.resyncs).toBe(0);
  });
});
