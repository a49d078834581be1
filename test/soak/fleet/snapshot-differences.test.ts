import { NEVER, startWith, type Observable } from 'rxjs';
import { expect, it } from 'vitest';
import { loadMonitor, type LoadMonitor } from '../../../src/core/pipeline/load-monitor.js';
import { policies } from '../../../src/core/policy/policies.js';
import { workerId } from '../../../src/core/worker-id.js';
import { THRESHOLD } from './worker-plan.js';
import { findSnapshotDifferences } from './snapshot-differences.js';

const [seven, eight] = [workerId('7'), workerId('8')];

const constant = <T>(value: T): Observable<T> => NEVER.pipe(startWith(value));

/** A monitor that sees two workers of one rank: the first has 90 of 100 blocks, the second 10. */
function monitored(state: 'live' | 'down' = 'live'): LoadMonitor {
  const fields = { dpRank: 0, activeDecodeBlocks: null, activePrefillTokens: null };
  const monitor = loadMonitor(
    {
      configs: constant(
        new Map([
          [seven, { totalKvBlocks: 100 }],
          [eight, { totalKvBlocks: 100 }],
        ]),
      ),
      decodeInstances: constant([seven, eight]),
      loads: NEVER.pipe(
        startWith(
          { ...fields, workerId: seven, kvUsedBlocks: 90 },
          { ...fields, workerId: eight, kvUsedBlocks: 10 },
        ),
      ),
      status: [constant({ source: 'nats', state, since: 0 })],
    },
    { policy: policies.default, thresholds: { activeDecodeBlocksThreshold: THRESHOLD } },
  );
  monitor.connect();
  return monitor;
}

const worker = (id: typeof seven, blocks: number, totalKvBlocks = 100) => ({
  plan: {
    ...{ etcd: '', nats: '', publisherId: '9', release: '1.6' as const, ranks: 1, seed: 1 },
    workerId: id,
    totalKvBlocks,
  },
  blocks: [blocks],
  busy: blocks > THRESHOLD * totalKvBlocks,
});

it.each([
  ['a right view', [worker(seven, 90), worker(eight, 10)], []],
  ['a worker that has left', [worker(seven, 90)], ['the monitor has 2 workers instead of 1']],
  [
    'a different last value, which makes the worker busy',
    [worker(seven, 90), worker(eight, 95)],
    ['busy workers are 7 instead of 7, 8', 'worker 8, rank 0: 10 of 85 instead of 95 of 85'],
  ],
  [
    'another config',
    [worker(seven, 90), worker(eight, 10, 200)],
    ['worker 8, rank 0: 10 of 85 instead of 10 of 170'],
  ],
  ['an unknown worker', [worker(seven, 90), worker(workerId('9'), 10)], ['worker 9 is unknown']],
])('%s', (_, workers, wrong) => {
  const monitor = monitored();
  expect(findSnapshotDifferences(monitor, workers)).toEqual(wrong);
  monitor.stop();
});

it('a source that is not live, and a stopped monitor', () => {
  const monitor = monitored('down');
  expect(findSnapshotDifferences(monitor, [worker(seven, 90), worker(eight, 10)])).toEqual(['nats is down']);
  monitor.stop();
  expect(findSnapshotDifferences(monitor, [])).toEqual(['the monitor has ended']);
});
