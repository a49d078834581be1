import type { TimestampProvider } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { LoadBatch, WorkerTable } from '../../../src/core/events/load-batch.js';
import { policies } from '../../../src/core/policy/policies.js';
import { FleetLoad } from '../../../src/core/state/fleet-load.js';
import { id, load } from '../../support/fleet.js';
import { loadColumns } from '../../support/load-columns.js';

const startOptions = { thresholds: { activePrefillTokensThreshold: 10 } };
const at = (now: number): TimestampProvider => ({ now: () => now });

describe('fleet load', () => {
  it('an event that changes nothing makes no step', () => {
    const fleet = new FleetLoad(policies.default, startOptions);
    expect(fleet.apply(load({ activePrefillTokens: 11 }), 0)).not.toBeNull();
    expect(fleet.apply(load({ activePrefillTokens: 12 }), 1)).toBeNull();
    expect(fleet.apply({ kind: 'thresholds', activePrefillTokensThreshold: 10 }, 2)).toBeNull();
    expect(fleet.apply({ kind: 'thresholds', activePrefillTokensThreshold: 11 }, 3)).toMatchObject({
      at: 3,
      transitions: [],
    });
  });

  it('a step does not change later', () => {
    const fleet = new FleetLoad(policies.default, startOptions);
    const first = fleet.apply(load({ activePrefillTokens: 11 }), 0);
    fleet.apply(load({ activePrefillTokens: 1 }), 1);
    expect([...(first?.busy ?? [])]).toEqual(['7']);
    expect(first?.fleet.busy).toBe(1);
  });

  it('workers that left leave nothing behind, and their memory is reused', () => {
    const fleet = new FleetLoad(policies.default, { ...startOptions, decodeInstances: [], configs: true });
    const round = (n: number): void => {
      const workerId = id(1_000_000 + n);
      fleet.apply({ kind: 'instance', workerId, present: true }, n);
      fleet.apply({ kind: 'config', workerId, config: { totalKvBlocks: 100, dataParallelSize: 4 } }, n);
      for (let dpRank = 0; dpRank < 4; dpRank += 1)
        fleet.apply(load({ workerId, dpRank, activePrefillTokens: 11 }), n);
      fleet.apply({ kind: 'instance', workerId, present: false }, n);
      fleet.apply({ kind: 'config', workerId, config: null }, n);
    };
    for (let n = 0; n < 20_000; n += 1) round(n);
    expect(fleet.fleet).toEqual({
      workers: 0,
      busy: 0,
      free: 0,
      unknown: 0,
      known: 0,
      held: 0,
      overloadMarked: 0,
      instances: 0,
      down: 0,
    });
    const { store } = fleet as unknown as {
      store: { workers: { all(): Iterable<number>; words: Int32Array; cells: { words: Int32Array } } };
    };
    const { workers } = store;
    expect([...workers.all()]).toEqual([]);
    expect(workers.words.length).toBeLessThanOrEqual(512);
    expect(workers.cells.words.length).toBeLessThanOrEqual(1024);
  });

  it.each(['dynamo-1.6', 'default'] as const)(
    'a worker reported down that a later prefill watch does not name is not counted down for ever under %s',
    (name) => {
      const policy = { ...policies[name], prefillWatches: 'waits' } as const;
      const fleet = new FleetLoad(policy, {
        ...startOptions,
        decodeInstances: [],
        prefillInstances: [id(2)],
      });
      fleet.apply({ kind: 'reportedDown', workerId: id(2) }, 0);
      expect(fleet.fleet.down).toBe(1);
      fleet.apply({ kind: 'prefillClosed' }, 1);
      fleet.apply({ kind: 'prefillAttached', added: [], removed: [id(2)], present: new Set() }, 2);
      expect(fleet.fleet).toMatchObject({ down: 0, instances: 0 });
      fleet.apply({ kind: 'instance', workerId: id(2), present: true }, 3);
      expect(fleet.fleet).toMatchObject({ down: 0, instances: 1 });
    },
  );

  it('a config of 2^32 ranks does not cost memory in proportion, and its cleanup is bounded', () => {
    const fleet = new FleetLoad(policies['dynamo-1.0'], { ...startOptions, decodeInstances: [id(1)] });
    fleet.apply({ kind: 'config', workerId: id(1), config: { dataParallelSize: 2 ** 32 - 1 } }, 0);
    fleet.apply(load({ workerId: id(1), dpRank: 4_000_000_000, activePrefillTokens: 11 }), 1);
    const left = fleet.apply({ kind: 'decodeInstances', added: [], removed: [id(1)], present: new Set() }, 2);
    expect(left?.cleanups[0]?.dpRanks).toHaveLength(4097);
  });

  it('rows of a table that was cleared, and of slots that were reused, reach the right worker', () => {
    const fleet = new FleetLoad(policies.default, { ...startOptions, decodeInstances: [] });
    const table = new WorkerTable();
    const row = (worker: number, tokens: number): LoadBatch =>
      new LoadBatch(loadColumns(table, [worker, 0, tokens]));
    const present = (worker: number, is: boolean): unknown =>
      fleet.apply({ kind: 'instance', workerId: id(worker), present: is }, 0);
    present(1, true);
    expect(fleet.applyRow(row(1, 11), 0, at(1))?.transitions[0]?.workerId).toBe('1');
    present(1, false);
    present(2, true);
    expect(fleet.applyRow(row(1, 11), 0, at(2))?.transitions ?? []).toEqual([]);
    expect([...fleet.busy]).toEqual([]);
    table.clear();
    expect(fleet.applyRow(row(2, 11), 0, at(3))?.transitions[0]?.workerId).toBe('2');
  });

  it('wide values in a batch are exact', () => {
    const fleet = new FleetLoad(policies.default, {
      thresholds: { activePrefillTokensThreshold: 2n ** 63n },
    });
    const rows = loadColumns(new WorkerTable(), [1, 0, 2n ** 63n], [2, 0, 2n ** 63n + 1n]);
    const batch = new LoadBatch(rows);
    fleet.applyRow(batch, 0, at(0));
    fleet.applyRow(batch, 1, at(0));
    expect([...fleet.busy]).toEqual(['2']);
  });

  it('a verdict contains what was known at the transition, and is a property like any other', () => {
    const fleet = new FleetLoad(policies.default, startOptions);
    const [crossing] = fleet.apply(load({ activePrefillTokens: 11 }), 5)?.transitions ?? [];
    fleet.apply({ kind: 'thresholds', activePrefillTokensThreshold: 1000 }, 6);
    fleet.apply(load({ activePrefillTokens: 2n ** 63n }), 7);
    expect(Object.keys(crossing ?? {})).toEqual(['workerId', 'from', 'to', 'busy', 'at', 'verdict']);
    expect({ ...crossing }.verdict?.text).toContain('prefill tokens 11 > 10 (1 of 1 ranks busy');
    expect(crossing?.verdict).toBe(crossing?.verdict);
    expect(JSON.parse(JSON.stringify(crossing))).toEqual(crossing);
    expect(structuredClone(crossing)).toEqual(crossing);
  });
});
