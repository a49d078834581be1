import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { play, silences } from './silences.js';
import { startEtcdBehindProxy } from './etcd-behind-proxy.js';

describeWith('etcd', 'a silent link', () => {
  it('that accepts connections and does not answer is closed within 3 s, and leaves no socket', async () => {
    await using setup = await startEtcdBehindProxy();
    using recorder = setup.record();
    await recorder.until('live');
    const { statusCount } = recorder;
    setup.proxy.hold(true);
    setup.proxy.cut();
    await recorder.until('down', statusCount);
    await setup.writer.writeMany('v1/', 20);
    await sleep(30_000);
    expect(recorder.reasons).toContain('does not answer: timed out after 3000 ms');
    expect(setup.proxy.connections).toBeLessThanOrEqual(1);
    await setup.proxy.heal();
    await recorder.receivesAll(setup.writer);
    await eventually(() => setup.proxy.connections === 1);
    expect(recorder.resyncs).toBe(0);
  });

  it.each(silences)('$name, in real time', async (silence) => {
    await using setup = await startEtcdBehindProxy();
    using recorder = setup.record();
    await recorder.until('live');
    await sleep(7_000);
    const { noticed, healed } = await play(setup, recorder, silence);
    const inSeconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
    process.stdout.write(
      `${silence.name}: noticed after ${inSeconds(noticed)}, live ${inSeconds(healed)} after healing\n`,
    );
    await setup.writer.writeMany('v1/', 5);
    await recorder.receivesAll(setup.writer);
  });
});
