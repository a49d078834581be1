import { describe, expect, it } from 'vitest';
import { MemoryKeys } from '../../../src/core/sources/key-source.js';
import type { Problem } from '../../../src/core/sources/problem.js';
import { workerId } from '../../../src/core/worker-id.js';
import { discoverWorkers } from '../../../src/dynamo/discovery/discover-workers.js';
import { DiscoveryFold } from '../../../src/dynamo/discovery/discovery-fold.js';
import { discoveryPrefixes } from '../../../src/dynamo/discovery/discovery-keys.js';
import type { FleetScope } from '../../../src/dynamo/discovery/fleet-scope.js';
import { selectsNamespace } from '../../../src/dynamo/discovery/namespaces.js';
import { batch, endpointAt, modelCard, modelEntry, put, putText, remove } from '../../support/discovery.js';

const ids = (keys: Iterable<string>): string[] => [...keys].sort();
const worker = (id: string, namespace: string, component = 'backend') => [
  put(`v1/instances/${namespace}/${component}/generate/${id}`, {}),
  put(`v1/mdc/${namespace}/${component}/generate/${id}`, modelCard(100)),
];
const [a, b] = ['default-foo-1a2b3c4d', 'default-foo-9f8e7d6c'] as const;
const cluster = [
  ...worker('1', 'default-foo'),
  ...worker('2', a),
  ...worker('3', b),
  ...worker('4', 'default-foo-bar'),
  ...worker('5', 'default-foo-bar-77777777'),
  ...worker('6', 'default-food'),
  ...worker('7', 'default'),
];

function folded(scope: FleetScope, ...changes: Parameters<typeof batch.snapshot>): DiscoveryFold {
  const fold = new DiscoveryFold(scope);
  fold.apply(batch.snapshot(...changes));
  return fold;
}

describe('which namespaces a name selects', () => {
  it.each([
    ['prod', [true, true, true]],
    ['prod-1a2b3c4d', [true, false, true]],
    ['prod-00000000', [true, false, true]],
    ['prod-1a2b3c4', [false, false, true]],
    ['prod-1a2b3c4d5', [false, false, true]],
    ['prod-1a2b3c4g', [false, false, true]],
    ['prod-1A2B3C4D', [false, false, true]],
    ['prod-blue-1a2b3c4d', [false, false, true]],
    ['prod1a2b3c4d', [false, false, true]],
    ['production', [false, false, true]],
    ['pro', [false, false, false]],
    ['-1a2b3c4d', [false, false, false]],
  ])('prod and %s', (namespace, expected) => {
    const selected = (['generations', 'exact', 'prefix'] as const).map((match) =>
      selectsNamespace('prod', match, namespace),
    );
    expect(selected).toEqual(expected);
  });

  it.each([
    [undefined, ['1', '2', '3']],
    ['generations', ['1', '2', '3']],
    ['exact', ['1']],
    ['prefix', ['1', '2', '3', '4', '5', '6']],
  ] as const)('a fleet with the match %s has the workers of these', (namespaceMatch, expected) => {
    const fold = folded({ namespace: 'default-foo', namespaceMatch }, ...cluster);
    expect(ids(fold.workers().keys())).toEqual(expected);
  });

  it('the prefixes cover all selected keys, also those of a namespace whose name begins like it', () => {
    for (const namespaceMatch of ['generations', 'exact', 'prefix'] as const) {
      const prefixes = discoveryPrefixes('default-foo', namespaceMatch);
      const listed = cluster.filter(({ key }) => prefixes.some((prefix) => key.startsWith(prefix)));
      const scope = { namespace: 'default-foo', namespaceMatch };
      expect(folded(scope, ...listed).workers()).toEqual(folded(scope, ...cluster).workers());
      expect(new Set(prefixes).size).toBe(prefixes.length);
    }
  });

  it('keys of another namespace are ignored, even if they cannot be decoded', () => {
    const fold = folded(
      { namespace: 'default-foo' },
      putText(`v1/mdc/default-foo-bar/backend/generate/1`, 'x'),
    );
    expect(fold.problems()).toEqual([]);
    fold.apply(batch.changes(putText(`v1/mdc/${a}/backend/generate/1`, 'x')));
    expect(fold.problems()).toHaveLength(1);
  });

  it('old model entries are selected by the namespace in their value', () => {
    const fold = folded(
      { namespace: 'default-foo' },
      put('models/x', modelEntry(`${a}/backend/generate`, 1), workerId('1')),
      put('models/y', modelEntry('default-foo-bar/backend/generate', 1), workerId('2')),
    );
    expect(ids(fold.workers().keys())).toEqual(['1']);
  });

  it.each([
    [{ namespaceMatch: 'exact' }, /needs a namespace/],
    [
      { namespace: 'prod', namespaceMatch: 'regex' },
      /must be "generations" or "exact" or "prefix", not "regex"/,
    ],
    [{ namespace: 'prod', endpoint: 'prod-bar.backend.generate' }, /outside the watched namespace "prod"/],
    [{ namespace: 'prod', namespaceMatch: 'exact', endpoint: `prod-1a2b3c4d.backend.generate` }, /outside/],
  ])('%j is refused', (scope, message) => {
    expect(() => new DiscoveryFold(scope as FleetScope)).toThrow(message);
  });
});

describe('a rolling update', () => {
  const scope = { namespace: 'default-foo' };
  const pool = (namespace: string) => ({
    model: 'tiny',
    endpoint: endpointAt(`${namespace}/backend/generate`),
  });

  it('has a pool of each generation, and one model of both', () => {
    const fold = folded(scope, ...worker('1', a), ...worker('2', b));
    expect([...fold.pools().values()]).toEqual([pool(a), pool(b)]);
    expect(fold.models()).toEqual([
      {
        name: 'tiny',
        adapterOf: null,
        pools: [pool(a), pool(b)],
        readiness: [a, b].map((namespace) => ({ namespace, ready: true, missing: [] })),
      },
    ]);
    for (const [namespace, id] of [
      [a, '1'],
      [b, '2'],
    ] as const)
      expect(ids(fold.members(pool(namespace)).instances), namespace).toEqual([id]);
    expect(ids(fold.members({ endpoint: 'backend.generate' }).instances), 'without a namespace').toEqual([
      '1',
      '2',
    ]);
    expect(ids(fold.members({ endpoint: 'default-foo.backend.generate' }).instances)).toEqual([]);
  });

  it('lists the namespaces, and the same list until one is added or removed', () => {
    const fold = folded(scope, ...worker('1', b));
    const before = fold.namespaces();
    expect(before).toEqual([b]);
    fold.apply(batch.changes(...worker('3', b), ...worker('4', 'default-foo-bar')));
    expect(fold.namespaces()).toBe(before);
    fold.apply(batch.changes(...worker('2', a)));
    expect(fold.namespaces()).toEqual([a, b]);
    fold.apply(batch.changes(...worker('1', b).map(({ key }) => remove(key))));
    expect(fold.namespaces()).toEqual([a, b]);
    fold.apply(batch.snapshot(...worker('2', a)));
    expect(fold.namespaces()).toEqual([a]);
  });

  it('the endpoints of a scope are those of every generation', () => {
    const fold = folded(
      { endpoint: 'default-foo.backend.generate', prefillEndpoint: 'prefill.generate' },
      ...cluster,
      ...worker('8', a, 'prefill'),
      ...worker('9', a, 'other'),
    );
    expect(ids(fold.workers().keys())).toEqual(['1', '2', '3', '8']);
    expect(ids(fold.members({ role: 'prefill' }).configs.keys())).toEqual(['8']);
  });

  it('an endpoint in one generation of the namespace selects only that one', () => {
    const fold = folded({ ...scope, endpoint: `${a}.backend.generate` }, ...cluster);
    expect(ids(fold.workers().keys())).toEqual(['2']);
  });
});

describe('a prefix that matches several base names', () => {
  const problemsOf = (namespaceMatch: 'prefix' | 'generations') => {
    const keys = new MemoryKeys();
    const problems: Problem[] = [];
    discoverWorkers(keys, { namespace: 'default-foo', namespaceMatch }).problems$.subscribe((problem) =>
      problems.push(problem),
    );
    return { keys, problems };
  };

  it('is a problem once, until only one is left', () => {
    const { keys, problems } = problemsOf('prefix');
    keys.apply([...worker('1', 'default-foo'), ...worker('2', a), ...worker('3', b)]);
    expect(problems, 'generations of one').toEqual([]);
    keys.apply(worker('4', 'default-foo-bar'));
    keys.apply(worker('5', 'default-food'));
    expect(problems).toMatchObject([{ code: 'several-namespaces', source: 'instances', count: 2 }]);
    expect(problems[0]?.text).toContain('"default-foo" and "default-foo-bar"');
    keys.apply(
      [...worker('4', 'default-foo-bar'), ...worker('5', 'default-food')].map(({ key }) => remove(key)),
    );
    keys.apply(worker('6', 'default-foo-bar-77777777'));
    expect(problems).toHaveLength(2);
  });

  it('is none for the generations of a namespace', () => {
    const { keys, problems } = problemsOf('generations');
    keys.apply(cluster);
    expect(problems).toEqual([]);
  });
});
