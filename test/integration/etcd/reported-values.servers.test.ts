import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { overCuts } from './over-cuts.js';
import { startEtcdBehindProxy } from './etcd-behind-proxy.js';

describeWith('etcd', 'every value is reported, once and in order', () => {
  it.concurrent('over a server that is killed and started again', async () => {
    await using setup = await startEtcdBehindProxy();
    using recorder = setup.record();
    await recorder.until('live');
    await setup.writer.writeMany('v1/', 20);
    const { statusCount } = recorder;
    await setup.server.restart();
    await recorder.until('down', statusCount);
    await setup.writer.writeMany('v1/', 20);
    await recorder.until('live', statusCount);
    await setup.writer.writeMany('v1/', 5);
    await recorder.receivesAll(setup.writer);
    expect(recorder.resyncs).toBe(0);
  });

  it.concurrent('over refused connections, with 200 changes in the meantime', async () => {
    await using setup = await startEtcdBehindProxy();
    using recorder = setup.record();
    await recorder.until('live');
    const { statusCount } = recorder;
    await setup.proxy.refuse(true);
    setup.proxy.cut();
    const { why } = await recorder.until('down', statusCount);
    expect(why).toContain(`etcd at ${setup.hosts}`);
    await setup.writer.writeMany('v1/', 200);
    await setup.proxy.refuse(false);
    await recorder.receivesAll(setup.writer);
    expect(recorder.resyncs).toBe(0);
  });

  it.concurrent('from a server that was down at the start', async () => {
    await using setup = await startEtcdBehindProxy();
    await setup.server.kill();
    using recorder = setup.record();
    const { why, retryInMs } = await recorder.until('down');
    expect(why).toContain('Check that etcd');
    expect(retryInMs).toBeGreaterThanOrEqual(0);
    await setup.server.restart();
    await setup.writer.writeMany('v1/', 3);
    await recorder.until('live');
    await setup.writer.writeMany('v1/', 3);
    await recorder.matches(setup.writer, 'v1/');
    expect(recorder.kinds[0]).toBe('snapshot');
  });

  it.concurrent(
    'over a second disconnect right after it is live, before the first gap is replayed',
    async () => {
      await using setup = await startEtcdBehindProxy();
      using recorder = setup.record();
      await recorder.until('live');
      for (let round = 0; round < 3; round += 1) {
        const { statusCount } = recorder;
        await setup.proxy.refuse(true);
        setup.proxy.cut();
        await recorder.until('down', statusCount);
        await setup.writer.writeMany('v1/', 20);
        await setup.proxy.refuse(false);
        await recorder.until('live', statusCount);
        setup.proxy.cut();
      }
      await recorder.receivesAll(setup.writer);
      expect(recorder.resyncs).toBe(0);
    },
  );

  it.concurrent('over disconnects 0 to 400 ms apart', () => overCuts(12));

  it.concurrent('over a replay of 9 MB, and the deletion of all of it', async () => {
    await using setup = await startEtcdBehindProxy();
    using recorder = setup.record();
    await recorder.until('live');
    await setup.proxy.refuse(true);
    setup.proxy.cut();
    for (let at = 0; at < 9; at += 1) await setup.writer.put(`v1/${at}`, Buffer.alloc(1_000_000, at));
    await setup.proxy.refuse(false);
    await recorder.receivesAll(setup.writer);
    // All deletions have one revision.
    const { statusCount } = recorder;
    setup.proxy.cut();
    await recorder.until('down', statusCount);
    await setup.writer.gateway.deletePrefix('v1/');
    await recorder.matches(setup.writer, 'v1/');
    expect(recorder.changes).toHaveLength(18);
    expect(recorder.resyncs).toBe(0);
  });

  it.concurrent('to a slow reader, over a disconnect', async () => {
    await using setup = await startEtcdBehindProxy();
    using recorder = setup.record();
    await recorder.until('live');
    setup.proxy.delay(30);
    await setup.writer.writeMany('v1/', 50);
    setup.proxy.cut();
    await setup.writer.writeMany('v1/', 50);
    await recorder.receivesAll(setup.writer);
    expect(recorder.resyncs).toBe(0);
  });
});
