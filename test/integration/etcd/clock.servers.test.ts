import { expect, it, onTestFinished, vi } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { steppedClock } from './schedulers.js';
import { sharedWorld } from './etcd-behind-proxy.js';

const HOUR_MS = 3_600_000;

/** Steps the scheduler's clock and the wall clock, which gRPC reads for its deadlines. */
function stepping(): { clock: ReturnType<typeof steppedClock>; step: (ms: number) => void } {
  const clock = steppedClock();
  const wallClock = Date.now.bind(Date);
  const spy = vi.spyOn(Date, 'now').mockImplementation(() => wallClock() + clock.stepMs);
  onTestFinished(() => spy.mockRestore());
  return { clock, step: (ms) => (clock.stepMs += ms) };
}

describeWith('etcd', 'a clock that is stepped', () => {
  it('an hour back in an outage, three hours on later: nothing is lost, nothing waits for the clock', async () => {
    await using world = await sharedWorld();
    const { clock, step } = stepping();
    using follower = world.follow({ scheduler: clock });
    await follower.until('live');
    let { mark } = follower;
    await world.proxy.refuse(true);
    world.proxy.cut();
    await follower.until('down', mark);
    await world.truth.many('v1/', 10);
    step(-HOUR_MS);
    await world.proxy.refuse(false);
    await follower.until('live', mark);
    await follower.hears(world.truth);
    ({ mark } = follower);
    step(3 * HOUR_MS);
    world.proxy.cut();
    await world.truth.many('v1/', 10);
    await follower.until('live', mark);
    await follower.hears(world.truth);
    expect(follower.resyncs).toBe(0);
  });

  it('while it is live: a connection that is well is not given up', async () => {
    await using world = await sharedWorld();
    const { clock, step } = stepping();
    using follower = world.follow({ scheduler: clock });
    await follower.until('live');
    step(-HOUR_MS);
    await world.truth.many('v1/', 10);
    step(3 * HOUR_MS);
    await world.truth.many('v1/', 10);
    await follower.hears(world.truth);
    expect(follower.statuses.map(({ state }) => state)).toEqual(['connecting', 'live']);
  });
});
