import { describe, expect, it } from 'vitest';
import { workerId } from '../../../src/core/worker-id.js';
import { DiscoveryFold } from '../../../src/dynamo/discovery/discovery-fold.js';
import { endpointAt, batch, modelCard, modelEntry, remove, put, putText } from '../../support/discovery.js';

const generate = 'dynamo/backend/generate';
const here = { endpoint: endpointAt(generate) };
const seven = workerId('7');
const nothing = { configs: new Map(), instances: new Map() };
const instanceOf7 = `v1/instances/${generate}/7`;
const cardOf7 = `v1/mdc/${generate}/7`;

/** A fold of all namespaces that took its first batch already. */
function folded(...changes: Parameters<typeof batch.snapshot>): DiscoveryFold {
  const fold = new DiscoveryFold();
  fold.apply(batch.snapshot(...changes));
  return fold;
}

describe('what a batch changes', () => {
  it('a new worker with a card gives an instance, a config and an info', () => {
    const fold = new DiscoveryFold();
    const difference = fold.apply(batch.changes(put(instanceOf7, {}), put(cardOf7, modelCard(100))));
    const config = { totalKvBlocks: 100 };
    const info = {
      workerId: seven,
      ...endpointAt(generate),
      endpoints: [endpointAt(generate)],
      model: 'tiny',
      models: ['tiny'],
      roles: ['aggregated'],
      loras: [],
    };
    for (const selector of [undefined, here, { ...here, model: 'tiny' }, { role: 'decode' as const }])
      expect(difference.in(selector)).toEqual({
        configs: new Map([[seven, config]]),
        instances: new Map([[seven, true]]),
      });
    expect(difference.workers).toEqual(new Map([[seven, info]]));
    expect(difference.problems).toEqual([]);
    expect(fold.members().configs).toEqual(new Map([[seven, config]]));
    expect(fold.members(here).configs).toEqual(new Map([[seven, config]]));
    expect(fold.members(here).instances).toEqual(new Set([seven]));
    expect(fold.workers()).toEqual(new Map([[seven, info]]));
  });

  it('an equal value is not a difference, even if its bytes differ', () => {
    const fold = folded(put(instanceOf7, {}), put(cardOf7, modelCard(100)));
    const again = batch.changes(
      put(instanceOf7, { transport: { tcp: 'a:1' } }),
      put(cardOf7, modelCard(100, { needs: [['decode']], context_length: 3 })),
      put(`v1/instances/${generate}/007`, {}),
    );
    const difference = fold.apply(again);
    for (const selector of [undefined, here, { ...here, model: 'tiny' }])
      expect(difference.in(selector)).toEqual(nothing);
    expect([difference.workers.size, difference.problems]).toEqual([0, []]);
  });

  it('a change that is undone within a batch is not a difference', () => {
    const fold = folded(put(instanceOf7, {}), put(cardOf7, modelCard(100)));
    const backAndForth = [
      remove(instanceOf7),
      remove(cardOf7),
      put(cardOf7, modelCard(100)),
      put(instanceOf7, {}),
    ];
    for (const kind of ['changes', 'resync'] as const) {
      const difference = fold.apply(batch[kind](...backAndForth));
      expect([difference.in(), difference.in(here)]).toEqual([nothing, nothing]);
      expect(difference.workers.size).toBe(0);
    }
  });

  it('a worker that joined and left within a batch is not a difference', () => {
    const fold = folded();
    const difference = fold.apply(
      batch.changes(put(instanceOf7, {}), put(cardOf7, modelCard(1)), remove(cardOf7), remove(instanceOf7)),
    );
    expect([difference.in(), difference.in(here)]).toEqual([nothing, nothing]);
    expect(difference.workers.size).toBe(0);
    expect(fold.workers().size).toBe(0);
  });

  it('a snapshot removes keys that it does not contain, and reports them', () => {
    const fold = folded(
      put(instanceOf7, {}),
      put(cardOf7, modelCard(100)),
      put(`v1/instances/${generate}/8`, {}),
    );
    const difference = fold.apply(batch.snapshot(put(instanceOf7, {})));
    expect(difference.in().configs).toEqual(new Map([[seven, null]]));
    expect(difference.in(here).instances).toEqual(new Map([[workerId('8'), false]]));
    expect(difference.workers.get(workerId('8'))).toBeNull();
    expect(fold.members(here).instances).toEqual(new Set([seven]));
  });

  it('what is handed out stays as it was', () => {
    const fold = folded(put(instanceOf7, {}), put(cardOf7, modelCard(100)));
    const [all, { configs, instances }, workers] = [fold.members(), fold.members(here), fold.workers()];
    fold.apply(batch.snapshot());
    expect([all.configs.size, configs.size, instances.size, workers.size]).toEqual([1, 1, 1, 1]);
    expect(fold.members().configs.size + fold.members(here).instances.size + fold.workers().size).toBe(0);
  });
});

describe('several keys of one worker', () => {
  it('a worker leaves an endpoint with its last key there, in either layout', () => {
    const fold = folded(put(`instances/${generate}:7`, {}), put(instanceOf7, {}));
    expect(fold.apply(batch.changes(remove(instanceOf7))).in(here)).toEqual(nothing);
    expect(fold.members(here).instances).toEqual(new Set([seven]));
    const last = fold.apply(batch.changes(remove(`instances/${generate}:7`)));
    expect(last.in(here).instances).toEqual(new Map([[seven, false]]));
  });

  it('an id at two endpoints survives the removal at one of them, and each endpoint has its own card', () => {
    const other = 'dynamo/prefill/generate';
    const fold = folded(put(cardOf7, modelCard(100)), put(`v1/mdc/${other}/7`, modelCard(200)));
    expect(fold.members(here).configs.get(seven)).toEqual({ totalKvBlocks: 100 });
    expect(fold.members({ endpoint: endpointAt(other) }).configs.get(seven)).toEqual({ totalKvBlocks: 200 });
    expect(fold.members().configs.get(seven), 'the key that sorts last').toEqual({ totalKvBlocks: 200 });
    expect(fold.workers().get(seven)).toMatchObject({
      ...endpointAt(other),
      endpoints: [endpointAt(generate), endpointAt(other)],
    });

    const removal = fold.apply(batch.changes(remove(`v1/mdc/${other}/7`)));
    expect(removal.in().configs).toEqual(new Map([[seven, { totalKvBlocks: 100 }]]));
    expect(removal.in(here)).toEqual(nothing);
    expect(fold.apply(batch.changes(remove(cardOf7))).in().configs).toEqual(new Map([[seven, null]]));
  });

  it('a card of a new release wins over a model entry of the same worker, in either order', () => {
    const old = put('models/a41790b9', modelEntry(generate, 50), seven);
    const fresh = put(cardOf7, modelCard(100));
    for (const changes of [
      [old, fresh],
      [fresh, old],
    ]) {
      const fold = folded(...changes);
      expect(fold.members().configs).toEqual(new Map([[seven, { totalKvBlocks: 100 }]]));
      expect(fold.apply(batch.changes(remove(cardOf7))).in().configs).toEqual(
        new Map([[seven, { totalKvBlocks: 50 }]]),
      );
    }
  });

  it('a model entry is known by its lease, and its removal by its key alone', () => {
    const fold = folded(
      put('models/a', modelEntry(generate, 50), seven),
      put('models/b', modelEntry(generate, 60)),
    );
    expect(fold.members().configs).toEqual(new Map([[seven, { totalKvBlocks: 50 }]]));
    const moved = fold.apply(batch.changes(put('models/a', modelEntry(generate, 50), workerId('8'))));
    expect(moved.in().configs).toEqual(
      new Map([
        [seven, null],
        [workerId('8'), { totalKvBlocks: 50 }],
      ]),
    );
    expect(fold.apply(batch.changes(remove('models/a'), remove('models/b'))).workers).toEqual(
      new Map([[workerId('8'), null]]),
    );
  });

  it('a card without an id, an event channel and a foreign key are ignored without a problem', () => {
    const fold = new DiscoveryFold();
    const difference = fold.apply(
      batch.changes(
        put('mdc/tiny', modelCard(1)),
        putText('mdc/tiny', 'no JSON'),
        put('mdc/tiny', modelCard(1), seven),
        put('models/x', modelEntry(generate, 1)),
        putText('v1/event_channels/dynamo//kv_metrics/7', 'no JSON'),
        putText('v1/event_channels/no/key', '{}'),
        putText('my/own/key', 'no JSON'),
      ),
    );
    expect(difference.problems).toEqual([]);
    expect(fold.workers().size).toBe(0);
  });
});

describe('LoRA cards', () => {
  const lora = (name: string): string => `${cardOf7}/${name}`;
  const adapter = (name: string): object => modelCard(999, { lora: { name } });

  it('of a worker: removing or adding one keeps the base card, and only the last removal removes the worker', () => {
    const fold = folded(
      put(lora('lora-a'), adapter('A')),
      put(cardOf7, modelCard(100)),
      put(lora('lora-b'), adapter('B')),
    );
    expect(fold.members().configs).toEqual(new Map([[seven, { totalKvBlocks: 100 }]]));
    for (const change of [
      remove(lora('lora-a')),
      put(lora('lora-a'), adapter('A')),
      remove(lora('lora-b')),
    ]) {
      const difference = fold.apply(batch.changes(change));
      expect([difference.in(), difference.in(here)]).toEqual([nothing, nothing]);
      expect(difference.workers.size, 'its adapters are others').toBe(1);
    }
    expect(fold.workers().get(seven)).toMatchObject({ model: 'tiny', loras: ['A'] });
    expect(fold.apply(batch.changes(remove(cardOf7))).in().configs).toEqual(new Map([[seven, null]]));
    expect(fold.workers().get(seven)).toMatchObject({ model: null, loras: ['A'] });
    expect(fold.apply(batch.changes(remove(lora('lora-a')))).workers).toEqual(new Map([[seven, null]]));
  });

  it('a LoRA card that arrives first does not count: the base card has start 3 and size 2', () => {
    const ranks = (start: number, size: number): object => ({
      runtime_config: { data_parallel_start_rank: start, data_parallel_size: size },
    });
    const fold = folded(put(lora('x'), { ...ranks(99, 8), lora: { name: 'x' } }));
    expect(fold.members().configs.size).toBe(0);
    fold.apply(batch.changes(put(cardOf7, ranks(3, 2))));
    expect(fold.members().configs).toEqual(
      new Map([[seven, { dataParallelStartRank: 3, dataParallelSize: 2 }]]),
    );
    fold.apply(batch.changes(remove(lora('x'))));
    expect(fold.members().configs.size).toBe(1);
    fold.apply(batch.changes(remove(cardOf7)));
    expect([fold.members().configs.size, fold.workers().size]).toEqual([0, 0]);
  });

  it('a LoRA card under the key of a base card does not count either', () => {
    const fold = folded(put(cardOf7, modelCard(100)));
    expect(fold.apply(batch.changes(put(cardOf7, adapter('A')))).in().configs).toEqual(
      new Map([[seven, null]]),
    );
  });
});

describe('pools', () => {
  const other = { model: 'other', endpoint: endpointAt(generate) };
  const tiny = { model: 'tiny', endpoint: endpointAt(generate) };

  it('are the models with a card at an endpoint; an instance without a card belongs to no pool', () => {
    const fold = folded(put(instanceOf7, {}));
    expect(fold.pools().size).toBe(0);
    fold.apply(batch.changes(put(cardOf7, modelCard(100))));
    expect([...fold.pools().values()]).toEqual([tiny]);
    expect(fold.members(tiny)).toEqual({
      configs: new Map([[seven, { totalKvBlocks: 100 }]]),
      instances: new Set([seven]),
    });
    fold.apply(batch.changes(remove(cardOf7)));
    expect(fold.pools().size).toBe(0);
    expect(fold.members(tiny)).toEqual({ configs: new Map(), instances: new Set() });
  });

  it('two models at one endpoint are two, and a worker that changes its model changes the pool', () => {
    const fold = folded(put(instanceOf7, {}), put(cardOf7, modelCard(100)));
    const before = fold.pools();
    const difference = fold.apply(batch.changes(put(cardOf7, modelCard(100, { display_name: 'other' }))));
    expect(difference.in(here)).toEqual(nothing);
    expect(difference.in(tiny)).toEqual({
      configs: new Map([[seven, null]]),
      instances: new Map([[seven, false]]),
    });
    expect(difference.in(other)).toEqual({
      configs: new Map([[seven, { totalKvBlocks: 100 }]]),
      instances: new Map([[seven, true]]),
    });
    expect([...fold.pools().values()]).toEqual([other]);
    expect([...before.values()]).toEqual([tiny]);
    fold.apply(batch.changes(put(`v1/mdc/${generate}/8`, modelCard(50))));
    expect([...fold.pools().values()]).toEqual([other, tiny]);
  });

  it('are the same map until a pool is added or removed', () => {
    const fold = folded(put(instanceOf7, {}), put(cardOf7, modelCard(100)));
    const pools = fold.pools();
    fold.apply(batch.changes(put(cardOf7, modelCard(200)), remove(instanceOf7)));
    expect(fold.pools()).toBe(pools);
    expect(fold.members(tiny).instances.size).toBe(0);
  });
});
