import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RuntimeConfig } from '../../../src/core/events/fleet-event.js';
import type { KeyBatch } from '../../../src/core/sources/key-source.js';
import type { WorkerInfo } from '../../../src/core/sources/worker-info.js';
import { workerId, workerIdFromHex, type WorkerId } from '../../../src/core/worker-id.js';
import { DiscoveryFold } from '../../../src/dynamo/discovery/discovery-fold.js';
import { batch, endpointAt, modelCard, modelEntry, remove, put, putText } from '../../support/discovery.js';
import { runs } from '../../support/runs.js';

/** A change of a key, in a form from which the expected result follows without a decoder. */
interface Happening {
  readonly key: string;
  readonly what: 'gone' | 'broken' | 'base' | 'lora';
  readonly blocks: number;
  readonly lease: WorkerId;
}

const HERE = 'ns1/backend/generate';
const PATHS = [HERE, 'ns1/prefill/generate', 'ns10/backend/generate'];
const IDS = ['7', 'ffffffffffffffff'];
const KEYS = [
  ...PATHS.flatMap((path) =>
    IDS.flatMap((id) => [`v1/instances/${path}/${id}`, `instances/${path}:${id}`, `v1/mdc/${path}/${id}`]),
  ),
  `v1/mdc/${HERE}/7/lora-a`,
  `v1/mdc/${HERE}/7/lora-b`,
  'models/one',
  'models/two',
];

const happening: fc.Arbitrary<Happening> = fc.record({
  key: fc.constantFrom(...KEYS),
  what: fc.constantFrom('gone', 'broken', 'base', 'base', 'lora'),
  blocks: fc.integer({ min: 1, max: 3 }),
  lease: fc.constantFrom('0', '7', '18446744073709551615').map(workerId),
});
interface Batch {
  readonly kind: KeyBatch['kind'];
  readonly happenings: readonly Happening[];
}
const history: fc.Arbitrary<Batch[]> = fc.array(
  fc.record({
    kind: fc.constantFrom<KeyBatch['kind'][]>('changes', 'changes', 'resync', 'snapshot'),
    happenings: fc.array(happening, { maxLength: 6 }),
  }),
  { maxLength: 12 },
);

const pathOf = ({ key, blocks }: Happening): string =>
  PATHS.find((path) => key.includes(`/${path}`)) ?? PATHS[blocks - 1] ?? '';

function batchOf(kind: KeyBatch['kind'], happenings: readonly Happening[]): KeyBatch {
  const changes = happenings.map((one) => {
    const { key, what, blocks, lease } = one;
    if (what === 'gone') return remove(key);
    if (what === 'broken') return putText(key, '{"type":7');
    if (key.startsWith('models/')) return put(key, modelEntry(pathOf(one), blocks), lease);
    return put(key, modelCard(blocks, what === 'lora' ? { lora: { name: `of ${blocks}` } } : {}), lease);
  });
  return batch[kind](...changes);
}

/** A simple model: the last good value of every present key. */
function finalKeys(batches: readonly Batch[]): Happening[] {
  const keys = new Map<string, Happening>();
  for (const { kind, happenings } of batches) {
    for (const one of happenings) {
      if (one.what === 'gone') keys.delete(one.key);
      else if (one.what !== 'broken') keys.set(one.key, one);
    }
    const named = new Set(happenings.map(({ key }) => key));
    if (kind === 'snapshot') for (const key of keys.keys()) if (!named.has(key)) keys.delete(key);
  }
  return [...keys.values()];
}

/** The expected content of one key. */
interface Fact {
  readonly path: string;
  readonly id: WorkerId;
  readonly says: 'instance' | 'base' | 'lora';
  readonly model: string;
  readonly config: RuntimeConfig;
}

function factsOf(keys: readonly Happening[], namespace: string | undefined): Fact[] {
  const inOrder = keys.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  return inOrder.flatMap((one): Fact[] => {
    const [path, id, isEntry] = [pathOf(one), idOf(one), one.key.startsWith('models/')];
    if (id === null || (namespace !== undefined && !path.startsWith(`${namespace}/`))) return [];
    const config = { totalKvBlocks: one.blocks };
    if (one.key.includes('instances/')) return [{ path, id, says: 'instance', model: '', config }];
    if (isEntry) return [{ path, id, says: 'base', model: 'old', config }];
    if (one.what === 'lora') return [{ path, id, says: 'lora', model: `of ${one.blocks}`, config }];
    const suffix = /lora-.$/.exec(one.key)?.[0];
    return suffix === undefined
      ? [{ path, id, says: 'base', model: 'tiny', config }]
      : [{ path, id, says: 'lora', model: suffix, config }];
  });
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)].sort();

/** A worker from all its keys, in order: the last base card counts. */
function infoOf(workerId: WorkerId, facts: readonly Fact[]): WorkerInfo {
  const counting = facts.findLast(({ says }) => says === 'base');
  const paths = unique(facts.map(({ path }) => path));
  return {
    workerId,
    ...endpointAt(counting?.path ?? paths[0] ?? ''),
    endpoints: paths.map(endpointAt),
    model: counting?.model ?? null,
    models: unique(facts.filter(({ says }) => says === 'base').map(({ model }) => model)),
    roles: counting === undefined ? [] : ['aggregated'],
    loras: unique(facts.filter(({ says }) => says === 'lora').map(({ model }) => model)),
  };
}

/** The configurations that the base cards among these give: a later one wins. */
function configsOf(facts: readonly Fact[]): Map<WorkerId, RuntimeConfig> {
  return new Map(facts.filter(({ says }) => says === 'base').map(({ id, config }) => [id, config]));
}

function idOf({ key, lease }: Happening): WorkerId | null {
  if (key.startsWith('models/')) return lease === '0' ? null : lease;
  const id = /[:/](7|f{16})(?:\/lora-.)?$/.exec(key)?.[1];
  return id === undefined ? null : workerIdFromHex(id);
}

/** A copy that is kept by differences alone. */
function mirror<K, V>(copy: Map<K, V>, differences: ReadonlyMap<K, V | null>): void {
  for (const [key, value] of differences) {
    expect(copy.get(key) ?? null, 'no difference that is none').not.toEqual(value);
    if (value === null) copy.delete(key);
    else copy.set(key, value);
  }
}

describe('any history of a store', () => {
  it('any history of a store - the fold equals the remaining keys, and the differences add up to it', () => {
    fc.assert(
      fc.property(history, fc.constantFrom(undefined, 'ns1'), (batches, namespace) => {
        const fold = new DiscoveryFold({ namespace });
        const copies = {
          configs: new Map<WorkerId, RuntimeConfig>(),
          workers: new Map<WorkerId, WorkerInfo>(),
          here: new Map<WorkerId, RuntimeConfig>(),
          present: new Map<WorkerId, true>(),
        };
        for (const { kind, happenings } of batches) {
          const difference = fold.apply(batchOf(kind, happenings));
          mirror(copies.configs, difference.in().configs);
          mirror(copies.workers, difference.workers);
          const here = difference.in({ endpoint: endpointAt(HERE) });
          mirror(copies.here, here.configs);
          mirror(copies.present, new Map([...here.instances].map(([id, is]) => [id, is || null])));
        }

        const facts = factsOf(finalKeys(batches), namespace);
        const ids = new Set(facts.map(({ id }) => id));
        const workers = new Map(
          [...ids].map((id) => [
            id,
            infoOf(
              id,
              facts.filter((fact) => fact.id === id),
            ),
          ]),
        );
        expect(fold.workers()).toEqual(workers);
        expect(copies.workers).toEqual(workers);
        expect(fold.members().configs).toEqual(configsOf(facts));
        expect(copies.configs).toEqual(configsOf(facts));
        for (const path of PATHS.filter(
          (one) => namespace === undefined || one.startsWith(`${namespace}/`),
        )) {
          const there = facts.filter((fact) => fact.path === path);
          const present = new Set(there.filter(({ says }) => says === 'instance').map(({ id }) => id));
          expect(fold.members({ endpoint: endpointAt(path) }).configs, path).toEqual(configsOf(there));
          expect(fold.members({ endpoint: endpointAt(path) }).instances, path).toEqual(present);
          if (path !== HERE) continue;
          expect(copies.here).toEqual(configsOf(there));
          expect(new Set(copies.present.keys())).toEqual(present);
        }
      }),
      { numRuns: Math.min(runs, 20_000) / 10 },
    );
  });
});
