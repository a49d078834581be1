import { map, type Observable, type Subscription } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { discoverWorkers, type Discovery } from '../../../src/dynamo/discovery/discover-workers.js';
import { type KeyBatch, MemoryKeys } from '../../../src/core/sources/key-source.js';
import { liveStatus } from '../../../src/core/sources/source-status.js';
import { workerId } from '../../../src/core/worker-id.js';
import { fakeSource, type FakeSource } from '../../../src/testing/fakes/fake-source.js';
import { endpointAt, batch, modelCard, modelEntry, remove, put, putText } from '../../support/discovery.js';

const generate = 'dynamo/backend/generate';
const [seven, eight, nine] = ['7', '8', '9'].map((id) => workerId(id)) as [never, never, never];
const instance = (id: string, path = generate): string => `v1/instances/${path}/${id}`;
const cardAt = (id: string, path = generate): string => `v1/mdc/${path}/${id}`;

function discovery(namespace?: string): Discovery & { batches: FakeSource<KeyBatch> } {
  const batches: FakeSource<KeyBatch> = fakeSource();
  const keys = { changes$: batches.source$, status$: liveStatus('keys') };
  return { ...discoverWorkers(keys, { namespace }), batches };
}

/** Collects everything that a stream emits from now on. */
function heard<T>(stream$: Observable<T>): { values: T[]; subscription: Subscription; take(): T[] } {
  const values: T[] = [];
  const subscription = stream$.subscribe((value) => values.push(value));
  return { values, subscription, take: () => values.splice(0) };
}

describe('configurations, instances and workers', () => {
  it('begin with a snapshot after the first listing, then single changes', () => {
    const fleet = discovery();
    const [configs, instances] = [
      heard(fleet.pool().configs$),
      heard(fleet.pool({ endpoint: 'dynamo.backend.generate' }).instances$),
    ];
    expect([configs.take(), instances.take()]).toEqual([[], []]);

    fleet.batches.next(batch.snapshot(put(instance('7'), {}), put(cardAt('7'), modelCard(100))));
    expect(configs.take()).toEqual([new Map([[seven, { totalKvBlocks: 100 }]])]);
    expect(instances.take()).toEqual([new Set([seven])]);

    fleet.batches.next(
      batch.changes(
        put(cardAt('7'), modelCard(200)),
        put(instance('8'), {}),
        put(cardAt('8'), modelCard(1)),
        remove(instance('7')),
      ),
    );
    expect(configs.take()).toEqual([
      { workerId: seven, config: { totalKvBlocks: 200 } },
      { workerId: eight, config: { totalKvBlocks: 1 } },
    ]);
    expect(instances.take()).toEqual([
      { workerId: seven, present: false },
      { workerId: eight, present: true },
    ]);
    fleet.batches.next(batch.changes(remove(cardAt('7'))));
    expect(configs.take()).toEqual([{ workerId: seven, config: null }]);
    expect(instances.take()).toEqual([]);
  });

  it('an empty fleet is a snapshot too', () => {
    const fleet = discovery();
    const outputs = [
      heard<unknown>(fleet.pool().configs$),
      heard<unknown>(fleet.pool({ endpoint: 'a.b.c' }).configs$),
      heard<unknown>(fleet.workers$),
    ];
    const instances = heard(fleet.pool({ endpoint: 'a.b.c' }).instances$);
    fleet.batches.next(batch.snapshot());
    for (const output of outputs) expect(output.values).toEqual([new Map()]);
    expect(instances.values).toEqual([new Set()]);
  });

  it('nothing is emitted when nothing changed', () => {
    const fleet = discovery();
    const all = [
      fleet.pool().configs$,
      fleet.workers$,
      fleet.pool({ endpoint: 'dynamo.backend.generate' }).configs$,
      fleet.problems$,
    ];
    const outputs = [...all, fleet.pool({ endpoint: 'dynamo.backend.generate' }).instances$].map((one$) =>
      heard<unknown>(one$),
    );
    const content = [put(instance('7'), {}), put(cardAt('7'), modelCard(100))];
    fleet.batches.next(batch.snapshot(...content));
    for (const output of outputs) output.take();
    fleet.batches.next(batch.changes(...content));
    fleet.batches.next(batch.resync(remove(cardAt('7')), ...content));
    fleet.batches.next(batch.snapshot(...content));
    fleet.batches.next(batch.changes());
    expect(outputs.flatMap((output) => output.values)).toEqual([]);
  });

  it('a resync that changes much is one snapshot, so that no worker flickers', () => {
    const fleet = discovery();
    const outputs = [
      heard<unknown>(fleet.pool().configs$),
      heard<unknown>(fleet.pool({ endpoint: 'dynamo.backend.generate' }).configs$),
      heard<unknown>(fleet.pool({ endpoint: 'dynamo.backend.generate' }).instances$),
      heard<unknown>(fleet.workers$.pipe(map((change) => 'size' in change && new Set(change.keys())))),
    ];
    const worker = (id: string) => [put(instance(id), {}), put(cardAt(id), modelCard(1))];
    fleet.batches.next(batch.snapshot(...worker('7'), ...worker('8')));
    for (const output of outputs) output.take();

    const restored = [remove(cardAt('7')), remove(instance('7')), remove(cardAt('8')), remove(instance('8'))];
    fleet.batches.next(batch.resync(...restored, ...worker('7'), ...worker('9')));
    const config = { totalKvBlocks: 1 };
    const configs = new Map([
      [seven, config],
      [nine, config],
    ]);
    const ids = new Set([seven, nine]);
    expect(outputs.map((output) => output.take())).toEqual([[configs], [configs], [ids], [ids]]);
  });

  it('a resync that changes one thing is a single change', () => {
    const fleet = discovery();
    const [configs, instances] = [
      heard(fleet.pool().configs$),
      heard(fleet.pool({ endpoint: 'dynamo.backend.generate' }).instances$),
    ];
    fleet.batches.next(batch.snapshot(put(instance('7'), {}), put(cardAt('7'), modelCard(100))));
    expect([configs.take().length, instances.take().length]).toEqual([1, 1]);
    fleet.batches.next(batch.resync(remove(cardAt('7')), put(instance('8'), {})));
    expect(configs.take()).toEqual([{ workerId: seven, config: null }]);
    expect(instances.take()).toEqual([{ workerId: eight, present: true }]);
  });

  it('of one endpoint know nothing of another, also where an id serves both', () => {
    const fleet = discovery();
    const decode = heard(fleet.pool({ endpoint: 'dynamo.backend.generate' }).configs$);
    const prefill = heard(fleet.pool({ endpoint: 'dynamo.prefill.generate' }).configs$);
    const twice = put(cardAt('7', 'dynamo/prefill/generate'), modelCard(200));
    fleet.batches.next(batch.snapshot(put(cardAt('7'), modelCard(100)), twice));
    fleet.batches.next(batch.changes(remove(cardAt('7'))));
    expect(decode.values).toEqual([
      new Map([[seven, { totalKvBlocks: 100 }]]),
      { workerId: seven, config: null },
    ]);
    expect(prefill.values).toEqual([new Map([[seven, { totalKvBlocks: 200 }]])]);
  });

  it('workers are emitted as a snapshot, then as single changes', () => {
    const fleet = discovery();
    const workers = heard(fleet.workers$);
    fleet.batches.next(batch.snapshot(put(instance('7'), {})));
    const info = {
      workerId: seven,
      ...endpointAt(generate),
      endpoints: [endpointAt(generate)],
      model: null,
      models: [],
      roles: [],
      loras: [],
    };
    expect(workers.take()).toEqual([new Map([[seven, info]])]);
    fleet.batches.next(batch.changes(put(cardAt('7'), modelCard(1))));
    const serving = { ...info, model: 'tiny', models: ['tiny'], roles: ['aggregated'] };
    expect(workers.take()).toEqual([{ workerId: seven, info: serving }]);
    fleet.batches.next(batch.changes(remove(instance('7')), remove(cardAt('7'))));
    expect(workers.take()).toEqual([{ workerId: seven, info: null }]);
  });

  it('models are emitted as a list, also for a late subscriber, and again only when it changes', () => {
    const fleet = discovery();
    const lists = heard(fleet.models$.pipe(map((models) => models.map(({ name }) => name))));
    fleet.batches.next(batch.snapshot());
    fleet.batches.next(batch.changes(put(instance('7'), {}), put(cardAt('7'), modelCard(1))));
    fleet.batches.next(batch.changes(put(cardAt('7'), modelCard(2)), put(instance('8'), {})));
    const adapter = `${cardAt('7')}/chat`;
    fleet.batches.next(batch.changes(put(adapter, modelCard(2, { display_name: 'chat' }))));
    expect(heard(fleet.models$).values).toMatchObject([
      [{ name: 'chat', adapterOf: 'tiny' }, { name: 'tiny' }],
    ]);
    fleet.batches.next(batch.changes(remove(adapter)));
    expect(lists.values).toEqual([[], ['tiny'], ['chat', 'tiny'], ['tiny']]);
  });

  it('problems of model cards are reported, and repeated to a late subscriber only', () => {
    const fleet = discovery();
    const problems = heard(fleet.problems$);
    fleet.batches.next(batch.snapshot(put(cardAt('7'), modelCard(1, { worker_type: 'router' }))));
    fleet.batches.next(batch.changes(put(instance('7'), {})));
    expect(problems.values).toMatchObject([{ code: 'unknown-role', workerId: seven, count: 1 }]);
    expect(heard(fleet.problems$).values).toEqual(problems.values);
  });

  it('in one namespace, names may omit it, and entries of other namespaces are excluded', () => {
    const fleet = discovery('ns1');
    const configs = heard(fleet.pool({ endpoint: 'backend.generate' }).configs$);
    const entries = ['ns1', 'ns10'].map((ns, n) =>
      put(`models/${n}`, modelEntry(`${ns}/backend/generate`, n), workerId(`${n + 1}`)),
    );
    fleet.batches.next(batch.snapshot(...entries, put(cardAt('7', 'ns10/backend/generate'), modelCard(1))));
    expect(configs.values).toEqual([new Map([[workerId('1'), { totalKvBlocks: 0 }]])]);
  });

  it('an invalid endpoint is rejected synchronously', () => {
    const fleet = discovery('prod');
    expect(() => fleet.pool({ endpoint: 'generate' })).toThrow(
      expect.objectContaining({ code: 'endpoint-name' }) as Error,
    );
    expect(() => fleet.pool({ endpoint: 'other.backend.generate' })).toThrow(
      /outside the watched namespace "prod"/,
    );
    expect(fleet.batches.subscribed).toBe(0);
  });
});

describe('sharing', () => {
  it('all outputs share one run, and the last one ends it', () => {
    const fleet = discovery();
    expect(fleet.batches.subscribed).toBe(0);
    const outputs = [
      fleet.pool().configs$,
      fleet.problems$,
      fleet.workers$,
      fleet.pool({ endpoint: 'a.b.c' }).configs$,
      fleet.pool({ endpoint: 'a.b.c' }).instances$,
    ].map((one$) => heard<unknown>(one$));
    expect([fleet.batches.open, fleet.batches.subscribed]).toEqual([1, 1]);
    for (const { subscription } of outputs) {
      expect(fleet.batches.open).toBe(1);
      subscription.unsubscribe();
    }
    expect([fleet.batches.open, fleet.batches.subscribed]).toEqual([0, 1]);
  });

  it('a late subscriber gets the current snapshot, and other subscribers are not affected', () => {
    const fleet = discovery();
    const first = heard(fleet.pool().configs$);
    fleet.batches.next(batch.snapshot(put(cardAt('7'), modelCard(1))));
    fleet.batches.next(batch.changes(put(cardAt('8'), modelCard(2)), put(instance('8'), {})));
    fleet.batches.next(batch.changes(remove(cardAt('7'))));
    first.take();
    expect(heard(fleet.pool().configs$).values).toEqual([new Map([[eight, { totalKvBlocks: 2 }]])]);
    expect(heard(fleet.pool({ endpoint: 'dynamo.backend.generate' }).instances$).values).toEqual([
      new Set([eight]),
    ]);
    expect(first.values).toEqual([]);
  });

  it('a subscriber during a step gets that step once', () => {
    const fleet = discovery();
    let late: unknown[] | undefined;
    fleet.pool().configs$.subscribe((change) => {
      if ('workerId' in change) late ??= heard(fleet.pool().configs$).values;
    });
    fleet.batches.next(batch.snapshot());
    fleet.batches.next(batch.changes(put(cardAt('7'), modelCard(1))));
    expect(late).toEqual([new Map([[seven, { totalKvBlocks: 1 }]])]);
  });

  it('a batch that a subscriber causes follows the current one, for all subscribers', () => {
    const fleet = discovery();
    fleet.pool().configs$.subscribe((change) => {
      if ('workerId' in change && change.workerId === seven)
        fleet.batches.next(batch.changes(put(cardAt('8'), modelCard(2))));
    });
    const second = heard(fleet.pool().configs$);
    fleet.batches.next(batch.snapshot());
    fleet.batches.next(batch.changes(put(cardAt('7'), modelCard(1))));
    expect(second.values.slice(1)).toEqual([
      { workerId: seven, config: { totalKvBlocks: 1 } },
      { workerId: eight, config: { totalKvBlocks: 2 } },
    ]);
  });

  it('a new run begins from nothing', () => {
    const fleet = discovery();
    const first = heard(fleet.pool().configs$);
    fleet.batches.next(batch.snapshot(put(cardAt('7'), modelCard(1))));
    first.subscription.unsubscribe();
    const second = heard(fleet.pool().configs$);
    expect(second.values).toEqual([]);
    fleet.batches.next(batch.snapshot(put(cardAt('8'), modelCard(1))));
    expect(second.values).toEqual([new Map([[eight, { totalKvBlocks: 1 }]])]);
  });
});

describe('problems', () => {
  it('a key that cannot be decoded is reported with its reason, its worker and a count', () => {
    const fleet = discovery();
    const [problems, configs] = [heard(fleet.problems$), heard(fleet.pool().configs$)];
    fleet.batches.next(batch.snapshot(put(cardAt('7'), modelCard(1))));
    expect(problems.take()).toEqual([]);
    configs.take();
    fleet.batches.next(batch.changes(putText(cardAt('7'), 'hello'), putText(cardAt('7'), '{')));
    expect(problems.take()).toEqual([
      {
        code: 'undecodable',
        source: 'configs',
        workerId: seven,
        count: 2,
        text:
          `the value of the key "${cardAt('7')}" cannot be decoded (truncated): ` +
          'the document ends where a key in double quotes is expected; ' +
          'its last value stays in force until the key is written correctly or removed',
      },
    ]);
    fleet.batches.next(batch.changes(putText(instance('xyz'), '{}')));
    expect(problems.take()).toEqual([
      {
        code: 'undecodable',
        source: 'instances',
        count: 1,
        text:
          `the key "${instance('xyz')}" is not one that Dynamo writes, and is ignored: ` +
          'remove it, or correct its writer',
      },
    ]);
    expect(configs.values).toEqual([]);
  });

  it('a late subscriber gets the current problems first', () => {
    const fleet = discovery();
    heard(fleet.pool().configs$);
    fleet.batches.next(batch.snapshot(putText(cardAt('7'), 'x'), putText(cardAt('8'), 'x')));
    fleet.batches.next(batch.changes(remove(cardAt('7'))));
    const late = heard(fleet.problems$);
    expect(late.values.map(({ workerId: id }) => id)).toEqual([eight]);
  });

  it('texts hold no value, and only the beginning of a long key', () => {
    const fleet = discovery();
    const problems = heard(fleet.problems$);
    const secret = 'hunter2'.repeat(1000);
    fleet.batches.next(
      batch.snapshot(
        putText(cardAt('7'), secret),
        putText(cardAt('8'), JSON.stringify({ runtime_config: { total_kv_blocks: secret } })),
        putText(cardAt('9'), JSON.stringify({ type: secret })),
        put(cardAt('a'), { instance_id: 1, card_json: secret }),
        putText(`v1/instances/${'k'.repeat(100_000)}\n/x`, '{}'),
      ),
    );
    expect(problems.values).toHaveLength(5);
    for (const { text } of problems.values) {
      expect(text).not.toContain('hunter2');
      expect(text.length).toBeLessThan(700);
      expect(text).not.toContain('\n');
    }
  });
});

describe('a fleet with too many names', () => {
  const one = (n: number, namespace = 'dynamo') =>
    put(
      cardAt(n.toString(16), `${namespace}/backend/generate`),
      modelCard(1, { display_name: `model-${n}` }),
    );
  const names = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1);

  it('lists the first pools, and reports the number of all once, and again when it has doubled', () => {
    const keys = new MemoryKeys();
    const fleet = discoverWorkers(keys, { maxPools: 3 });
    const [pools, problems] = [heard(fleet.pools$), heard(fleet.problems$)];
    for (const n of names(8)) keys.apply([one(n)]);
    expect(pools.values.at(-1)?.map(({ model }) => model)).toEqual(['model-1', 'model-2', 'model-3']);
    expect(problems.take()).toMatchObject([
      { code: 'too-many-pools', source: 'configs', count: 4 },
      { code: 'too-many-pools', count: 8 },
    ]);
    for (const n of names(5)) keys.apply([{ key: one(n).key }]);
    expect(pools.values.at(-1)?.map(({ model }) => model)).toEqual(['model-6', 'model-7', 'model-8']);
    keys.apply([one(1)]);
    expect(problems.take(), 'it was within the limit in between').toMatchObject([{ count: 4 }]);
  });

  it('without a limit of its own: 512 of a thousand pools', () => {
    const keys = new MemoryKeys();
    const fleet = discoverWorkers(keys);
    keys.apply(names(1000).map((n) => one(n)));
    expect(heard(fleet.pools$).values.map((pools) => pools.length)).toEqual([512]);
    expect(heard(fleet.problems$).values).toMatchObject([{ code: 'too-many-pools', count: 1000 }]);
    expect(heard(fleet.models$).values.map((models) => models.length)).toEqual([1000]);
  });

  it('lists 10 000 models, and 512 namespaces', () => {
    const keys = new MemoryKeys();
    const fleet = discoverWorkers(keys, { maxPools: 20_000 });
    keys.apply(names(10_001).map((n) => one(n, `ns-${n % 600}`)));
    expect(heard(fleet.models$).values.map((models) => models.length)).toEqual([10_000]);
    expect(heard(fleet.namespaces$).values.map((namespaces) => namespaces.length)).toEqual([512]);
    expect(heard(fleet.problems$).values).toMatchObject([
      { code: 'too-many-models', count: 10_001 },
      { code: 'too-many-namespaces', count: 600 },
    ]);
  });
});
