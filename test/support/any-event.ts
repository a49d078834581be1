import fc from 'fast-check';
import type { RecordedInput } from '../../src/wire/recording/recording.js';
import { id, load } from './fleet.js';

/** How large the fleets of random events are. */
export interface EventSpace {
  readonly workers: number;
  readonly maxRanks: number;
}

/** Random fleet events of every kind, also impossible ones, over a small set of workers so that they meet. */
export function anyEvent({ workers, maxRanks }: EventSpace): fc.Arbitrary<RecordedInput> {
  const names = [...Array.from({ length: workers - 1 }, (_, i) => String(i + 1)), '18446744073709551615'];
  const worker = fc.constantFrom(...names).map(id);
  const value = fc.option(fc.constantFrom(0, 1, 50, 51, 90, 101, 2 ** 31, 2n ** 64n - 1n));
  const rank = fc.oneof(
    { weight: 8, arbitrary: fc.nat(maxRanks - 1) },
    fc.constantFrom(2 ** 32 - 1, 2 ** 32 - 2),
  );
  const runtimeConfig = fc.record(
    {
      totalKvBlocks: fc.constantFrom(0, 100, 100, 60),
      maxNumBatchedTokens: fc.constantFrom(1, 50),
      dataParallelStartRank: fc.constantFrom(0, 0, 1, 2 ** 32 - 2, 2 ** 32 - 1),
      dataParallelSize: fc.constantFrom(0, 1, 2, maxRanks, 2 ** 32 - 1),
    },
    { requiredKeys: [] },
  );
  const ids = fc.uniqueArray(worker, { maxLength: workers });
  const fraction = fc.constantFrom(undefined, undefined, null, 0, 0.5, 1, NaN, -1);
  const loads = fc
    .record({
      workerId: worker,
      dpRank: rank,
      activeDecodeBlocks: value,
      activePrefillTokens: value,
      kvUsedBlocks: value,
      topic: fc.constantFrom('kv_metrics', 'kv_metrics', 'kv_metrics', 'x'),
    })
    .map((values) => load(values));
  const schedulerLoad = fc.record({
    workerId: worker,
    dpRank: rank,
    activeDecodeBlocks: fc.constantFrom(0, 50, 101),
    activePrefillTokens: fc.constantFrom(0, 50, 101),
  });
  return fc.oneof(
    { weight: 12, arbitrary: loads },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('schedulerLoads' as const),
        loads: fc.array(schedulerLoad, { minLength: 1, maxLength: 3 }),
      }),
    },
    fc.dictionary(fc.constantFrom(...names), runtimeConfig, { maxKeys: workers }).map((cards) => ({
      kind: 'configs' as const,
      workers: new Map(Object.entries(cards).map(([key, config]) => [id(key), config])),
    })),
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('config' as const),
        workerId: worker,
        config: fc.option(runtimeConfig, { freq: 3 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record(
        {
          kind: fc.constant('instance' as const),
          workerId: worker,
          present: fc.boolean(),
          role: fc.constantFrom('decode' as const, 'prefill' as const),
          watch: fc.constantFrom(0, 1, 2),
        },
        { requiredKeys: ['kind', 'workerId', 'present', 'role'] },
      ),
    },
    fc.record({
      kind: fc.constantFrom('decodeInstances' as const, 'prefillAttached' as const),
      workerIds: ids,
    }),
    fc.record({ kind: fc.constant('prefillInstances' as const), workerIds: ids }),
    fc.record({ kind: fc.constant('prefillInstances' as const), workerIds: ids, watch: fc.nat(3) }),
    fc.record({ kind: fc.constant('prefillClosed' as const) }),
    fc.record({ kind: fc.constant('prefillClosed' as const), watch: fc.nat(3) }),
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom('marked' as const, 'markExpired' as const, 'reportedDown' as const),
        workerId: worker,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('thresholds' as const),
        activeDecodeBlocksThreshold: fraction,
        activePrefillTokensThreshold: fc.constantFrom(undefined, null, 0, 50, 2n ** 63n),
        activePrefillTokensThresholdFrac: fraction,
        checked: fc.constantFrom(true, false, false),
        nullTurnsOff: fc.boolean(),
        target: fc.constantFrom(
          'everything' as const,
          'everything' as const,
          { role: 'decode' as const },
          { role: 'aggregated' as const },
          ...names.slice(0, 2).map((name) => ({ workerId: id(name) })),
        ),
      }),
    },
    fc.record({
      kind: fc.constantFrom('loadError' as const, 'configError' as const, 'instancesError' as const),
    }),
    fc.record({
      kind: fc.constant('problem' as const),
      problem: fc.record({
        code: fc.constant('undecodable' as const),
        source: fc.constantFrom('loads' as const, 'configs' as const),
        text: fc.string(),
        count: fc.integer({ min: 1, max: 9 }),
      }),
    }),
  );
}

/** What ends sources, or everything. */
export const endEvent: fc.Arbitrary<RecordedInput> = fc.record({
  kind: fc.constantFrom(
    'loadStreamEnded' as const,
    'configsEnded' as const,
    'instancesEnded' as const,
    'stop' as const,
  ),
});
