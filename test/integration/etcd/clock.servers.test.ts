import { expect, it, onTestFinished, vi } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { steppedClock } from './schedulers.js';
import { sharedEtcdBehindProxy } from './etcd-behind-proxy.js';

const HOUR_MS = 3_600_000;

/** Steps the scheduler's clock and the wall clock, which gRPC reads for its deadlines. */
function stepping(): { clock: ReturnType<typeof steppedClock>; step: (ms: number) => void } {
  const clock = steppedClock();
  const wallClock = Date.now.bind(Date);
  const spy = vi.spyOn(Date, 'now').mockImplementation(() => wallClock() + clock.stepMs);
  onTestFinished(() => spy.mockRestore());
  return { clock, step: (ms) => (clock.stepMs += ms) };
}

describeWith('etcd', 'clock steps', () => {
  it('an hour back during an outage, three hours forward later: no change is lost, and nothing waits for the clock', async () => {
    await using setup = await sharedEtcdBehindProxy();
    const { clock, step } = stepping();
    using recorder = setup.record({ scheduler: clock });
    await recorder.until('live');
    let { statusCount } = recorder;
    await setup.proxy.refuse(true);
    setup.proxy.cut();
    await recorder.until('down', statusCount);
    await setup.writer.writeMany('v1/', 10);
    step(-HOUR_MS);
    await setup.proxy.refuse(false);
    await recorder.until('live', statusCount);
    await recorder.receivesAll(setup.writer);
    ({ statusCount } = recorder);
    step(3 * HOUR_MS);
    setup.proxy.cut();
    await setup.writer.writeMany('v1/', 10);
    await recorder.until('live', statusCount);
    await recorder.receivesAll(setup.writer);
    expect(recorder.resyncs).toBe(0);
  });

  it('while it is live: a healthy connection is kept', async () => {
    await using setup = await sharedEtcdBehindProxy();
    const { clock, step } = stepping();
    using recorder = setup.record({ scheduler: clock });
    await recorder.until('live');
    step(-HOUR_MS);
    await setup.writer.writeMany('v1/', 10);
    step(3 * HOUR_MS);
    await setup.writer.writeMany('v1/', 10);
    await recorder.receivesAll(setup.writer);
    expect(recorder.statuses.map(({ state }) => state)).toEqual(['connecting', 'live']);
  });
});
