import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { seededRandom } from '../../../src/simulator/simulated-worker.js';
import { startEtcdBehindProxy } from './etcd-behind-proxy.js';

/** Closes the connection `count` times, 0 to 400 ms apart, while values are written, and expects every value. */
export async function overCuts(cuts: number): Promise<void> {
  await using setup = await startEtcdBehindProxy();
  using recorder = setup.record();
  await recorder.until('live');
  const random = seededRandom(5);
  const writing = new AbortController();
  const written = (async () => {
    while (!writing.signal.aborted) await setup.writer.writeMany('v1/', 3);
  })();
  for (let cut = 0; cut < cuts; cut += 1) {
    await sleep(400 * random());
    setup.proxy.cut();
  }
  writing.abort();
  await written;
  await recorder.receivesAll(setup.writer);
  expect(recorder.resyncs).toBe(0);
}
