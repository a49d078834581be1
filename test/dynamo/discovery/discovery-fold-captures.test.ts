import { describe, expect, it } from 'vitest';
import type { KeyChange } from '../../../src/core/sources/key-source.js';
import { workerIdFromHex, type WorkerId } from '../../../src/core/worker-id.js';
import { DiscoveryFold } from '../../../src/dynamo/discovery/discovery-fold.js';
import { batch, endpointAt } from '../../support/discovery.js';
import { readCapturedEtcd, writtenKey, type CapturedEtcd, type CapturedLine } from './captured-etcd.js';
import { captureLines, RELEASES } from '../../wire/captures.js';

const stores = readCapturedEtcd();
const store = (release: string): CapturedEtcd =>
  stores.find((one) => one.release === release) ?? expect.fail(`no capture of ${release}`);
const stage = (release: string, name: RegExp): readonly KeyChange[] =>
  store(release).stages.find((one) => name.test(one.stage))?.content ?? expect.fail(`no stage ${name}`);

/** Everything that a fold knows, in one comparable value. */
function everything(fold: DiscoveryFold, paths: ReadonlySet<string>): unknown {
  return {
    all: fold.members(),
    workers: fold.workers(),
    problems: fold.problems(),
    endpoints: [...paths].map((path) => [path, fold.members({ endpoint: endpointAt(path) })]),
  };
}

function foldOf(changes: readonly KeyChange[], namespace?: string): DiscoveryFold {
  const fold = new DiscoveryFold({ namespace });
  fold.apply(batch.snapshot(...changes));
  return fold;
}

/** The endpoints that instance keys name, read with a plain expression. */
function pathsIn(changes: readonly KeyChange[]): Map<string, Set<WorkerId>> {
  const paths = new Map<string, Set<WorkerId>>();
  for (const { key } of changes) {
    const match = /^(?:v1\/)?instances\/([^/]+\/[^/]+\/[^/:]+)(?:[:/]([0-9a-f]+))?$/.exec(key);
    if (match?.[1] === undefined) continue;
    paths.set(match[1], (paths.get(match[1]) ?? new Set()).add(workerIdFromHex(match[2] ?? '0')));
  }
  return paths;
}

/** The blocks of base cards by worker, read with plain JSON, for which 2^53 is enough. */
function blocksIn(changes: readonly KeyChange[]): Map<WorkerId, number | undefined> {
  const blocks = new Map<WorkerId, number | undefined>();
  for (const { key, value, lease } of changes) {
    const id = /^v1\/mdc\/[^/]+\/[^/]+\/[^/]+\/([0-9a-f]+)$/.exec(key)?.[1];
    if (id === undefined && !key.startsWith('models/')) continue;
    const parsed = JSON.parse(Buffer.from(value ?? []).toString()) as {
      readonly card_json?: object;
    };
    const { runtime_config } = (parsed.card_json ?? parsed) as {
      readonly runtime_config: { readonly total_kv_blocks: number | null };
    };
    const workerId = id === undefined ? lease : workerIdFromHex(id);
    if (workerId !== undefined) blocks.set(workerId, runtime_config.total_kv_blocks ?? undefined);
  }
  return blocks;
}

describe('captured stores', () => {
  it('captured stores - cover nine releases', () => {
    expect(stores.map(({ release }) => release)).toEqual(RELEASES);
  });

  it.each(stores)('captured etcd - $release: every stage matches its keys', ({ stages }) => {
    for (const { stage: name, content } of stages) {
      const fold = foldOf(content);
      const paths = pathsIn(content);
      expect(fold.problems(), name).toEqual([]);
      for (const [path, ids] of paths)
        expect(fold.members({ endpoint: endpointAt(path) }).instances, `${name}: ${path}`).toEqual(ids);
      const blocks = new Map([...fold.members().configs].map(([id, config]) => [id, config.totalKvBlocks]));
      expect(blocks, name).toEqual(blocksIn(content));
    }
  });

  it.each(stores)(
    'captured stores - $release: the watch up to the revision of a stage gives that stage',
    ({ stages, events }) => {
      const all = [...stages.flatMap(({ content }) => content), ...events.map(({ change }) => change)];
      for (const namespace of [undefined, 'dynamo']) {
        const isInside = (path: string): boolean =>
          namespace === undefined || path.startsWith(`${namespace}/`);
        const paths = new Set([...pathsIn(all).keys()].filter(isInside));
        const fold = new DiscoveryFold({ namespace });
        let next = 0;
        for (const { stage: name, revision, content } of stages) {
          // One batch for each revision, as etcd's own watch has it.
          while ((events[next]?.revision ?? Infinity) <= revision) {
            const at = events[next]?.revision;
            const changes = events.filter((event) => event.revision === at).map(({ change }) => change);
            fold.apply(batch.changes(...changes));
            next += changes.length;
          }
          expect(everything(fold, paths), `${name} of ${namespace ?? 'all'}`).toEqual(
            everything(foldOf(content, namespace), paths),
          );
        }
      }
    },
  );

  it.each(stores)(
    'captured stores - $release: from stage to stage by difference, as a resync does',
    ({ stages }) => {
      const fold = new DiscoveryFold();
      let before: readonly KeyChange[] = [];
      for (const { stage: name, content } of stages) {
        const keys = new Set(content.map(({ key }) => key));
        const missing = before.filter(({ key }) => !keys.has(key)).map(({ key }) => ({ key }));
        fold.apply(batch.resync(...missing, ...content));
        const paths = new Set([...pathsIn(before).keys(), ...pathsIn(content).keys()]);
        expect(everything(fold, paths), name).toEqual(everything(foldOf(content), paths));
        before = content;
      }
    },
  );
});

describe('captured stages, by hand', () => {
  const [one, two, three] = ['3109a1fde8e7ad07', '3109a1fde8e7ad0e', '3109a1fde8e7ad15'].map(workerIdFromHex);

  it('0.5.1 - model entries are known by their lease; the third worker has no model', () => {
    const fold = foldOf(stage('0.5.1', /^worker-3 up/));
    expect(fold.members().configs).toEqual(
      new Map([
        [one, { totalKvBlocks: 4096, maxNumBatchedTokens: 2048 }],
        [two, { totalKvBlocks: 4096 }],
      ]),
    );
    expect(fold.members({ endpoint: endpointAt('dynamo/backend/generate') }).configs).toEqual(
      fold.members().configs,
    );
    expect(fold.members({ endpoint: endpointAt('dynamo/backend/generate') }).instances).toEqual(
      new Set([one, two, three]),
    );
    expect(fold.members({ endpoint: endpointAt('dynamo/backend/load_metrics') }).instances).toEqual(
      new Set([one, two]),
    );
    expect(fold.workers().get(three as WorkerId)).toMatchObject({ model: null, endpoint: 'generate' });
    expect(fold.workers().get(one as WorkerId)).toEqual({
      workerId: one,
      ...endpointAt('dynamo/backend/generate'),
      endpoints: [endpointAt('dynamo/backend/generate'), endpointAt('dynamo/backend/load_metrics')],
      model: 'tiny-model',
      models: ['tiny-model'],
      roles: ['aggregated'],
      loras: [],
    });
  });

  it('0.5.1 - the card that outlives all workers belongs to no worker', () => {
    expect(stage('0.5.1', /^all workers gone/).map(({ key }) => key)).toEqual(['mdc/tiny-model']);
    expect(foldOf(stage('0.5.1', /^all workers gone/)).workers().size).toBe(0);
  });

  it.each([
    ['1.0.1', '615ea1fde5187206', '615ea1fde518720c', '615ea1fde5187212'],
    ['1.6.1', '3d07a1fdf188ab06', '3d07a1fdf188ab0e', '3d07a1fdf188ab16'],
  ])('%s - a LoRA card neither adds nor changes a configuration', (release, first, second, other) => {
    const [a, b, c] = [first, second, other].map(workerIdFromHex);
    const expectConfigs = (fold: DiscoveryFold): void => {
      expect([...fold.members().configs.keys()]).toEqual([a, b, c]);
      expect(fold.members().configs.get(a as WorkerId)).toMatchObject({
        totalKvBlocks: 100,
        maxNumBatchedTokens: 2048,
      });
      expect(fold.members().configs.get(b as WorkerId)).toMatchObject({
        totalKvBlocks: 200,
        dataParallelSize: 2,
      });
      expect(fold.members().configs.get(c as WorkerId)).not.toHaveProperty('totalKvBlocks');
    };
    const withLora = foldOf(stage(release, /LoRA card too|LoRA card$/));
    expectConfigs(withLora);
    expect(withLora.workers().get(a as WorkerId)?.loras).toHaveLength(1);
    const without = foldOf(stage(release, /LoRA card removed/));
    expectConfigs(without);
    expect(without.workers().get(a as WorkerId)?.loras).toEqual([]);
    expect(without.members({ endpoint: endpointAt('my-ns_1/Decode-X/generate') }).configs.size).toBe(1);
  });

  it.each(['1.0.1', '1.6.1'])('%s - a sleeping worker keeps its card but is at no endpoint', (release) => {
    const sleeping = foldOf(stage(release, /endpoint unregistered/));
    expect(sleeping.members({ endpoint: endpointAt('dynamo/backend/generate') }).configs.size).toBe(2);
    expect(sleeping.members({ endpoint: endpointAt('dynamo/backend/generate') }).instances.size).toBe(1);
    const back = foldOf(stage(release, /endpoint registered again/));
    expect(back.members({ endpoint: endpointAt('dynamo/backend/generate') }).instances.size).toBe(2);
    expect(foldOf(stage(release, /^all gone/)).workers().size).toBe(0);
  });

  it('one namespace - excludes the workers of the other one', () => {
    const content = stage('1.6.1', /^worker-3 up/);
    expect([foldOf(content, 'dynamo').workers().size, foldOf(content, 'my-ns_1').workers().size]).toEqual([
      2, 1,
    ]);
  });

  it.each([
    ['1.0.1', 'aggregated, which its card does not say'],
    ['1.6.1', 'decode'],
  ])('%s - a disaggregated fleet is a pool of each role; its backend is %s', (release) => {
    const [changes] = captureLines<{ kvs: CapturedLine[] }>(`${release}/disagg/etcd.jsonl`)
      .slice(-1)
      .map(({ kvs }) => kvs.map(writtenKey));
    const fold = foldOf(changes ?? expect.fail());
    const { model } = [...fold.workers().values()][0] ?? expect.fail();
    const [decode, prefill] = ['dynamo/backend/generate', 'dynamo/prefill/generate'].map(endpointAt);
    expect([...fold.pools().values()]).toEqual([
      { model, endpoint: decode },
      { model, endpoint: prefill, role: 'prefill' },
    ]);
    for (const [role, at] of [
      ['decode', decode],
      ['prefill', prefill],
    ] as const) {
      const { configs, instances } = fold.members({ role });
      expect(configs.size, role).toBe(1);
      expect(fold.members({ endpoint: at }).configs).toEqual(configs);
      expect([...instances]).toEqual([...configs.keys()]);
    }
  });
});
