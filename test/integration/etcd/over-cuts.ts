import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { seededRandom } from '../../../src/simulator/simulated-worker.js';
import { startWorld } from './etcd-behind-proxy.js';

/** Cuts the connection so many times, 0 to 400 ms apart, while values are written: the follower hears them all. */
export async function overCuts(cuts: number): Promise<void> {
  await using world = await startWorld();
  using follower = world.follow();
  await follower.until('live');
  const random = seededRandom(5);
  const writing = new AbortController();
  const written = (async () => {
    while (!writing.signal.aborted) await world.truth.many('v1/', 3);
  })();
  for (let cut = 0; cut < cuts; cut += 1) {
    await sleep(400 * random());
    world.proxy.cut();
  }
  writing.abort();
  await written;
  await follower.hears(world.truth);
  expect(follower.resyncs).toBe(0);
}
