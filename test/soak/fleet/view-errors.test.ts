import { NEVER, startWith, type Observable } from 'rxjs';
import { expect, it } from 'vitest';
import { loadMonitor, type LoadMonitor } from '../../../src/core/pipeline/load-monitor.js';
import { policies } from '../../../src/core/policy/policies.js';
import { workerId } from '../../../src/core/worker-id.js';
import { MARK } from './fleet-worker.js';
import { wrongView } from './wrong-view.js';

const [seven, eight] = [workerId('7'), workerId('8')];

const stays = <T>(value: T): Observable<T> => NEVER.pipe(startWith(value));

/** A monitor that sees two workers of one rank: the first has 90 of 100 blocks, the second 10. */
function monitored(state: 'live' | 'down' = 'live'): LoadMonitor {
  const said = { dpRank: 0, activeDecodeBlocks: null, activePrefillTokens: null };
  const monitor = loadMonitor(
    {
      configs: stays(
        new Map([
          [seven, { totalKvBlocks: 100 }],
          [eight, { totalKvBlocks: 100 }],
        ]),
      ),
      decodeInstances: stays([seven, eight]),
      loads: NEVER.pipe(
        startWith(
          { ...said, workerId: seven, kvUsedBlocks: 90 },
          { ...said, workerId: eight, kvUsedBlocks: 10 },
        ),
      ),
      status: [stays({ source: 'nats', state, since: 0 })],
    },
    { policy: policies.default, start: { thresholds: { activeDecodeBlocksThreshold: MARK } } },
  );
  monitor.connect();
  return monitor;
}

const worker = (id: typeof seven, blocks: number, totalKvBlocks = 100) => ({
  plan: {
    ...{ etcd: '', nats: '', publisherId: '9', generation: '1.6' as const, ranks: 1, seed: 1 },
    workerId: id,
    totalKvBlocks,
  },
  blocks: [blocks],
  busy: blocks > MARK * totalKvBlocks,
});

it.each([
  ['as it is', [worker(seven, 90), worker(eight, 10)], []],
  ['a worker that has left', [worker(seven, 90)], ['2 workers are seen, and 1 are there']],
  [
    'another last value, which makes it busy',
    [worker(seven, 90), worker(eight, 95)],
    ['busy are 7, 8; seen as busy are 7', 'worker 8, rank 0: seen is 10 of 85, true is 95 of 85'],
  ],
  [
    'another card',
    [worker(seven, 90), worker(eight, 10, 200)],
    ['worker 8, rank 0: seen is 10 of 85, true is 10 of 170'],
  ],
  ['a worker that is not seen', [worker(seven, 90), worker(workerId('9'), 10)], ['worker 9 is not known']],
])('%s', (_, workers, wrong) => {
  const monitor = monitored();
  expect(wrongView(monitor, workers)).toEqual(wrong);
  monitor.stop();
});

it('a source that is not live, and a monitor that has ended', () => {
  const monitor = monitored('down');
  expect(wrongView(monitor, [worker(seven, 90), worker(eight, 10)])).toEqual(['nats is down']);
  monitor.stop();
  expect(wrongView(monitor, [])).toEqual(['the monitor has ended']);
});
