import { describe, expect, it } from 'vitest';
import type { ModelReadiness } from '../../../src/core/sources/worker-info.js';
import { workerId } from '../../../src/core/worker-id.js';
import { DiscoveryFold } from '../../../src/dynamo/discovery/discovery-fold.js';
import { batch, endpointAt, modelCard, modelEntry, put, remove } from '../../support/discovery.js';
import { captureLines } from '../../wire/captures.js';
import { type CapturedLine, writtenKey } from './captured-etcd.js';

const backend = 'prod/backend/generate';
const prefill = 'prod/prefill/generate';
const ids = (keys: Iterable<string>): string[] => [...keys].sort();
type Changes = Parameters<typeof batch.snapshot>;

const instance = (id: string, path = backend) => put(`v1/instances/${path}/${id}`, {});
const card = (id: string, more: object = {}, path = backend, blocks = 100) =>
  put(`v1/mdc/${path}/${id}`, modelCard(blocks, more));
const adapter = (id: string, name: string, path = backend, more: object = {}) =>
  put(`v1/mdc/${path}/${id}/${name}`, modelCard(7, { display_name: name, lora: { name }, ...more }));

/** The keys of a worker of a role that needs others. */
const worker = (id: string, worker_type: string, needs: string[][], path = backend) => [
  instance(id, path),
  card(id, { worker_type, needs }, path),
];

function folded(...changes: Changes): DiscoveryFold {
  const fold = new DiscoveryFold();
  fold.apply(batch.snapshot(...changes));
  return fold;
}

const readiness = (fold: DiscoveryFold, name = 'tiny'): readonly ModelReadiness[] =>
  fold.models().find((model) => model.name === name)?.readiness ?? expect.fail(`no model ${name}`);

describe('a worker that serves several models and roles', () => {
  const at = endpointAt(backend);
  const two = [
    instance('7'),
    card('7'),
    put('models/a', modelEntry(backend, 50), workerId('7')),
    ...worker('8', 'prefill', []),
    put(`v1/mdc/${backend}/0008`, modelCard(30, { worker_type: 'decode' })),
  ];

  it('at one endpoint: each is a pool with its own card', () => {
    const fold = folded(...two);
    expect([...fold.pools().values()]).toEqual(
      expect.arrayContaining([
        { model: 'tiny', endpoint: at },
        { model: 'old', endpoint: at },
        { model: 'tiny', endpoint: at, role: 'prefill' },
      ]),
    );
    expect(fold.pools().size).toBe(3);
    const blocks = (selector: Parameters<DiscoveryFold['members']>[0]) =>
      [...fold.members(selector).configs].map(([id, { totalKvBlocks }]) => [id, totalKvBlocks]);
    expect(blocks({ model: 'tiny', role: 'decode' })).toEqual([
      ['7', 100],
      ['8', 30],
    ]);
    expect(blocks({ model: 'old' })).toEqual([['7', 50]]);
    expect(blocks({ role: 'prefill' })).toEqual([['8', 100]]);
    expect(fold.workers().get(workerId('7'))).toMatchObject({
      model: 'tiny',
      models: ['old', 'tiny'],
      roles: ['aggregated'],
    });
    expect(fold.workers().get(workerId('8'))).toMatchObject({
      models: ['tiny'],
      roles: ['decode', 'prefill'],
    });
    expect(fold.fleetProblems()).toEqual([]);
  });

  it('a pool ends with its own card, and the others stay', () => {
    const fold = folded(...two);
    const difference = fold.apply(batch.changes(remove('models/a')));
    expect(difference.in({ model: 'old' }).instances).toEqual(new Map([[workerId('7'), false]]));
    expect(difference.in({ model: 'tiny' })).toEqual({ configs: new Map(), instances: new Map() });
    expect([...fold.pools().values()].map(({ model }) => model)).not.toContain('old');
  });

  it('a worker that decodes and prefills at two endpoints keeps decoding when it stops to prefill', () => {
    const hybrid = [
      instance('7'),
      card('7'),
      instance('7', prefill),
      card('7', { model_type: 'Prefill' }, prefill),
    ];
    const fold = folded(...hybrid);
    expect([...fold.pools().values()]).toEqual([
      { model: 'tiny', endpoint: at },
      { model: 'tiny', endpoint: endpointAt(prefill), role: 'prefill' },
    ]);
    const keys = [`v1/instances/${prefill}/7`, `v1/mdc/${prefill}/7`];
    const difference = fold.apply(batch.changes(...keys.map(remove)));
    expect(difference.in({ model: 'tiny', role: 'decode', endpoint: at })).toEqual({
      configs: new Map(),
      instances: new Map(),
    });
    expect(difference.in({ role: 'prefill' }).instances).toEqual(new Map([[workerId('7'), false]]));
  });
});

describe('LoRA adapters', () => {
  const eight = ['1', '2', '3', '4', '5', '6', '7', '8'];

  it('an adapter on two of eight workers is a name for these two, with their base cards', () => {
    const fold = folded(
      ...eight.flatMap((id) => [instance(id), card(id, {}, backend, 100 + Number(id))]),
      adapter('3', 'chat'),
      adapter('5', 'chat'),
    );
    const pool = { model: 'chat', endpoint: endpointAt(backend) };
    expect(fold.members(pool)).toEqual({
      configs: new Map([
        [workerId('3'), { totalKvBlocks: 103 }],
        [workerId('5'), { totalKvBlocks: 105 }],
      ]),
      instances: new Set([workerId('3'), workerId('5')]),
    });
    expect([...fold.pools().values()], 'it has no pool of its own').toEqual([
      { model: 'tiny', endpoint: endpointAt(backend) },
    ]);
    const ready = [{ namespace: 'prod', ready: true, missing: [] }];
    expect(fold.models()).toEqual([
      { name: 'chat', adapterOf: 'tiny', pools: [pool], readiness: ready },
      { name: 'tiny', adapterOf: null, pools: [{ ...pool, model: 'tiny' }], readiness: ready },
    ]);

    const { configs, instances } = fold.apply(batch.changes(card('3', {}, backend, 9))).in(pool);
    expect([configs, instances]).toEqual([new Map([[workerId('3'), { totalKvBlocks: 9 }]]), new Map()]);
    const unloaded = fold.apply(batch.changes(remove(`v1/mdc/${backend}/3/chat`)));
    expect(unloaded.in(pool).instances).toEqual(new Map([[workerId('3'), false]]));
    expect(unloaded.in({ model: 'tiny' })).toEqual({ configs: new Map(), instances: new Map() });
    fold.apply(batch.changes(remove(`v1/mdc/${backend}/5/chat`)));
    expect(fold.models().map(({ name }) => name)).toEqual(['tiny']);
    expect(fold.members(pool).instances.size).toBe(0);
  });

  it('has the roles of its base cards', () => {
    const fold = folded(
      ...worker('1', 'decode', [['prefill']]),
      ...worker('2', 'prefill', [['decode']], prefill),
      adapter('1', 'chat'),
      adapter('2', 'chat', prefill),
    );
    expect(fold.models()[0]).toEqual({
      name: 'chat',
      adapterOf: 'tiny',
      pools: [
        { model: 'chat', endpoint: endpointAt(backend) },
        { model: 'chat', endpoint: endpointAt(prefill), role: 'prefill' },
      ],
      readiness: [{ namespace: 'prod', ready: true, missing: [] }],
    });
    expect(ids(fold.members({ model: 'chat', role: 'prefill' }).configs.keys())).toEqual(['2']);
  });

  it('of a worker with several cards: the size is that of the same role at the endpoint of the adapter', () => {
    const fold = folded(
      card('1', { worker_type: 'decode' }, backend, 10),
      put(`v1/mdc/${backend}/001`, modelCard(20, { worker_type: 'prefill' })),
      card('1', { worker_type: 'decode' }, prefill, 30),
      adapter('1', 'chat', backend, { worker_type: 'prefill' }),
      adapter('1', 'other', backend, { worker_type: 'decode' }),
    );
    const blocks = ['chat', 'other'].map((model) => [...fold.members({ model }).configs.values()]);
    expect(blocks).toEqual([[{ totalKvBlocks: 20 }], [{ totalKvBlocks: 10 }]]);
  });

  it('a card that is a copy of the base card is known by the name of the adapter', () => {
    const fold = folded(instance('1'), card('1'), adapter('1', 'chat', backend, { display_name: 'tiny' }));
    expect(fold.models().map(({ name, adapterOf }) => [name, adapterOf])).toEqual([
      ['chat', 'tiny'],
      ['tiny', null],
    ]);
  });

  it('an adapter without a base card is no model: nothing says how large its worker is', () => {
    const fold = folded(instance('1'), adapter('1', 'chat'));
    expect(fold.models()).toEqual([]);
    fold.apply(batch.changes(card('1')));
    expect(fold.models().map(({ name }) => name)).toEqual(['chat', 'tiny']);
  });

  it('a name that is an adapter here and a model there is a model with both pools', () => {
    const other = 'prod/other/generate';
    const fold = folded(
      instance('1'),
      card('1'),
      adapter('1', 'chat'),
      instance('2', other),
      card('2', { display_name: 'chat' }, other),
    );
    expect(fold.models()[0]).toMatchObject({ name: 'chat', adapterOf: null });
    expect(ids(fold.members({ model: 'chat' }).configs.keys())).toEqual(['1', '2']);
  });
});

describe('readiness', () => {
  const decode = worker('1', 'decode', [['prefill']]);
  const prefills = worker('2', 'prefill', [['decode']], prefill);
  const one = (ready: boolean, ...missing: string[]) => [{ namespace: 'prod', ready, missing }];

  it('a captured disaggregated fleet becomes ready when its second role has joined', () => {
    const stages = captureLines<{ kvs: CapturedLine[] }>('1.6.1/disagg/etcd.jsonl');
    const fold = new DiscoveryFold();
    const seen = stages.map(({ kvs }) => {
      fold.apply(batch.snapshot(...kvs.map(writtenKey)));
      return fold.models().map(({ pools, readiness: [there] }) => [pools.map(({ role }) => role), there]);
    });
    expect(seen[0]).toEqual([[['prefill'], { namespace: 'dynamo', ready: false, missing: ['decode'] }]]);
    expect(seen.at(-1)).toEqual([
      [[undefined, 'prefill'], { namespace: 'dynamo', ready: true, missing: [] }],
    ]);
  });

  it.each([
    ['aggregated workers need no others', worker('1', 'aggregated', []), one(true)],
    ['decode without prefill', decode, one(false, 'prefill')],
    ['prefill without decode', prefills, one(false, 'decode')],
    ['both', [...decode, ...prefills], one(true)],
    [
      'two endpoints of decode workers: the frontend cannot choose',
      [...decode, ...prefills, ...worker('3', 'decode', [['prefill']], 'prod/other/generate')],
      one(false),
    ],
    [
      'a second endpoint whose workers are gone',
      [...decode, ...prefills, card('3', { worker_type: 'prefill' }, 'prod/other/generate')],
      one(true),
    ],
    [
      'two endpoints of aggregated workers',
      [...worker('1', 'aggregated', []), ...worker('2', 'aggregated', [], 'prod/other/generate')],
      one(true),
    ],
    ['prefill cards without an instance', [...decode, prefills[1]], one(false, 'prefill')],
    [
      'one of two alternatives is enough',
      [...worker('1', 'encode', [['prefill', 'decode'], ['aggregated']]), ...worker('2', 'aggregated', [])],
      one(true),
    ],
    [
      'no alternative is met',
      worker('1', 'encode', [['prefill', 'decode'], ['aggregated']]),
      one(false, 'aggregated', 'decode', 'prefill'),
    ],
    [
      'a role of which all instances are gone',
      [...worker('1', 'aggregated', []), card('2', { worker_type: 'encode' })],
      one(false, 'encode'),
    ],
    ['no instances at all', [card('1', { worker_type: 'aggregated' })], one(false, 'aggregated')],
    [
      'cards that say nothing: one worker is enough',
      [instance('1'), card('1'), card('2', { worker_type: 'prefill' }, prefill)],
      one(true),
    ],
    ['cards that say nothing, without an instance', [card('1')], one(false)],
    [
      'a prefill worker before 1.6, alone',
      [instance('2', prefill), card('2', { model_type: 'Prefill' }, prefill)],
      one(false, 'decode'),
    ],
  ] as const)('%s', (_, changes, expected) => {
    expect(readiness(folded(...(changes as Changes)))).toEqual(expected);
  });

  it('is decided in each namespace by itself, and other models do not help', () => {
    const there = 'blue/prefill/generate';
    const fold = folded(
      ...decode,
      instance('2', there),
      card('2', { worker_type: 'prefill', needs: [] }, there),
      instance('3', prefill),
      card('3', { worker_type: 'prefill', needs: [], display_name: 'other' }, prefill),
    );
    expect(readiness(fold)).toEqual([
      { namespace: 'blue', ready: true, missing: [] },
      { namespace: 'prod', ready: false, missing: ['prefill'] },
    ]);
  });

  it('follows the first and the last instance of a role, and nothing in between', () => {
    const fold = folded(...decode, ...prefills);
    const before = fold.models();
    fold.apply(
      batch.changes(
        instance('3', prefill),
        card('3', { worker_type: 'prefill', needs: [['decode']] }, prefill),
      ),
    );
    fold.apply(batch.changes(remove(`v1/instances/${prefill}/2`)));
    expect(fold.models()).toBe(before);
    fold.apply(batch.changes(remove(`v1/instances/${prefill}/3`)));
    expect(readiness(fold)).toEqual(one(false, 'prefill'));
  });

  it('encode workers are shown as a pool of their model, and are not in the list of pools', () => {
    const fold = folded(...worker('1', 'encode', []));
    expect(fold.pools().size).toBe(0);
    expect(fold.models()[0]?.pools).toEqual([
      { model: 'tiny', endpoint: endpointAt(backend), role: 'encode' },
    ]);
  });
});

describe('problems of model cards', () => {
  const contradictory = (id: string, more: object = { worker_type: 'decode' }) => [
    card(id, { worker_type: 'decode' }),
    put(`v1/mdc/${backend}/000${id}`, modelCard(100, more)),
  ];

  it.each([
    ['another size', { worker_type: 'decode', runtime_config: { total_kv_blocks: 5 } }],
    ['another role of one pool', { worker_type: 'aggregated' }],
    ['other needs', { worker_type: 'decode', needs: [['prefill']] }],
  ])('two cards of a worker in one pool with %s contradict each other', (_, more) => {
    const { fleetProblems } = new DiscoveryFold().apply(batch.snapshot(...contradictory('7', more)));
    expect(fleetProblems).toMatchObject([
      { code: 'contradictory-cards', source: 'configs', workerId: workerId('7'), count: 1 },
    ]);
    expect(fleetProblems[0]?.text).toContain('prod/backend/generate/decode/tiny');
  });

  it('equal cards do not, and the last one counts among those that do', () => {
    const fold = new DiscoveryFold();
    expect(fold.apply(batch.snapshot(...contradictory('7'))).fleetProblems).toEqual([]);
    fold.apply(batch.changes(card('7', { worker_type: 'decode' }, backend, 9)));
    expect(fold.members({ role: 'decode' }).configs.get(workerId('7'))).toEqual({ totalKvBlocks: 9 });
  });

  it('an unknown worker type is one problem, and its worker counts as aggregated', () => {
    const fold = new DiscoveryFold();
    const { fleetProblems } = fold.apply(batch.snapshot(...worker('7', 'x'.repeat(10_000), [])));
    expect(fleetProblems).toMatchObject([{ code: 'unknown-role', workerId: workerId('7'), count: 1 }]);
    expect(fleetProblems[0]?.text.length).toBeLessThan(600);
    expect(ids(fold.members({ role: 'aggregated' }).instances)).toEqual(['7']);
  });

  it('is reported again only when it concerns twice as many workers, or after it was gone', () => {
    const fold = new DiscoveryFold();
    const counts: number[] = [];
    const join = (id: number): void => {
      const { fleetProblems } = fold.apply(batch.changes(card(id.toString(16), { worker_type: 'router' })));
      counts.push(...fleetProblems.map(({ count }) => count));
    };
    for (let id = 1; id <= 1000; id += 1) join(id);
    expect(counts).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512]);
    expect(fold.fleetProblems()).toMatchObject([{ count: 1000 }]);
    fold.apply(batch.snapshot());
    expect(fold.fleetProblems()).toEqual([]);
    join(1);
    expect(counts.at(-1)).toBe(1);
  });
});

describe('a thousand pools', () => {
  it('each is listed, and leaves the list with its worker', () => {
    const fold = new DiscoveryFold();
    const key = (n: number): string => `v1/mdc/${backend}/${n.toString(16)}`;
    for (let n = 1; n <= 1000; n += 1)
      fold.apply(batch.changes(put(key(n), modelCard(1, { display_name: `model-${n}` }))));
    expect([fold.pools().size, fold.models().length]).toEqual([1000, 1000]);
    for (let n = 1; n <= 999; n += 1) fold.apply(batch.changes(remove(key(n))));
    expect(fold.models().map(({ name }) => name)).toEqual(['model-1000']);
  });
});
