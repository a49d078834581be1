import { describe, expect, it } from 'vitest';
import { workerId } from '../../../src/core/worker-id.js';
import { DiscoveryFold } from '../../../src/dynamo/discovery/discovery-fold.js';
import { endpointAt, batch, modelCard, modelEntry, remove, put, putText } from '../../support/discovery.js';

const generate = 'dynamo/backend/generate';
const seven = workerId('7');
const cardOf7 = `v1/mdc/${generate}/7`;

describe('keys that cannot be decoded', () => {
  it.each([
    ['no JSON', 'hello', 'malformed'],
    ['an empty value, which is not a removal', '', 'empty'],
    ['cut off', '{"runtime_config":{', 'truncated'],
    ['another id', '{"instance_id":8}', 'malformed'],
    ['an array', '[]', 'wrong-type'],
    ['ranks beyond 32 bits', '{"runtime_config":{"data_parallel_size":4294967296}}', 'out-of-range'],
  ])(
    'keys that cannot be decoded - %s: a problem with its key, and the last valid card stays in force',
    (_, text, code) => {
      const fold = new DiscoveryFold();
      const never = fold.apply(batch.snapshot(putText(cardOf7, text)));
      expect(never.problems).toMatchObject([{ key: cardOf7, workerId: seven, error: { code } }]);
      expect(fold.workers().size).toBe(0);

      fold.apply(batch.changes(put(cardOf7, modelCard(100))));
      expect(fold.problems()).toEqual([]);
      const broken = fold.apply(batch.changes(putText(cardOf7, text)));
      expect(broken.in()).toEqual({ configs: new Map(), instances: new Map() });
      expect(broken.workers).toEqual(new Map());
      expect(broken.problems).toMatchObject([{ key: cardOf7, error: { code } }]);
      expect(fold.problems()).toEqual(broken.problems);
      expect(fold.members().configs).toEqual(new Map([[seven, { totalKvBlocks: 100 }]]));

      expect(fold.apply(batch.changes(remove(cardOf7))).in().configs).toEqual(new Map([[seven, null]]));
      expect(fold.problems()).toEqual([]);
    },
  );

  it('in a snapshot keeps its last good value too, but not that of a key that was removed before it', () => {
    const fold = new DiscoveryFold();
    fold.apply(batch.snapshot(put(cardOf7, modelCard(100)), putText(`v1/mdc/${generate}/8`, 'x')));
    expect(fold.problems()).toHaveLength(1);
    const difference = fold.apply(batch.snapshot(putText(cardOf7, 'x')));
    expect([difference.in().configs.size, difference.problems.length]).toEqual([0, 1]);
    expect(
      fold.problems().map(({ key }) => key),
      'the other key is gone',
    ).toEqual([cardOf7]);
    const restored = fold.apply(batch.resync(remove(cardOf7), putText(cardOf7, 'x')));
    expect(restored.in().configs).toEqual(new Map([[seven, null]]));
    expect(fold.problems()).toHaveLength(1);
  });

  it('of a model entry is a problem of the worker that it last was of', () => {
    const fold = new DiscoveryFold();
    fold.apply(batch.snapshot(put('models/a', modelEntry(generate, 50), seven), putText('models/b', '{')));
    expect(fold.problems()).toMatchObject([{ key: 'models/b', workerId: null }]);
    const { problems } = fold.apply(batch.changes(putText('models/a', '{}')));
    expect(problems).toMatchObject([{ key: 'models/a', workerId: seven, error: { code: 'missing-field' } }]);
    expect(fold.members().configs.get(seven)).toEqual({ totalKvBlocks: 50 });
  });

  it.each([
    'v1/instances/dynamo/backend/generate/xyz',
    'v1/instances/',
    'v1/mdc/dynamo/backend/generate/7/a/b',
    'v1/mdc/dynamo//generate/7',
    'instances/dynamo/backend/generate:',
    'models/a/b',
    `v1/instances/${'x'.repeat(100_000)}`,
  ])('an invalid key - case %#', (key) => {
    const fold = new DiscoveryFold();
    expect(fold.apply(batch.changes(putText(key, '{}'))).problems).toMatchObject([
      { key, workerId: null, error: { code: 'bad-key' } },
    ]);
    expect(fold.apply(batch.changes(remove(key)))).toMatchObject({ problems: [], workers: new Map() });
    expect(fold.problems()).toEqual([]);
  });
});

describe('what is large or at the edge', () => {
  it('a card that declares 2^32 − 1 ranks is one card', () => {
    const fold = new DiscoveryFold();
    fold.apply(batch.snapshot(put(cardOf7, { runtime_config: { data_parallel_size: 4294967295 } })));
    expect(fold.members().configs).toEqual(new Map([[seven, { dataParallelSize: 4294967295 }]]));
  });

  it('a card that declares 2^32 ranks, beyond the field, is a problem', () => {
    const fold = new DiscoveryFold();
    const { problems } = fold.apply(
      batch.snapshot(put(cardOf7, { runtime_config: { data_parallel_size: 4294967296 } })),
    );
    expect(problems).toMatchObject([{ error: { code: 'out-of-range' } }]);
  });

  it('values of 3 MB count when they are right, and are a problem when they are not', () => {
    const fold = new DiscoveryFold();
    const long = 'x'.repeat(3 << 20);
    const { problems } = fold.apply(
      batch.snapshot(
        put(cardOf7, modelCard(100, { user_data: long })),
        putText(`v1/mdc/${generate}/8`, long),
        putText(`v1/mdc/${generate}/9`, '['.repeat(3 << 20)),
        putText(`v1/mdc/${generate}/a`, `{"runtime_config":{"total_kv_blocks":${'1'.repeat(3 << 20)}}}`),
      ),
    );
    expect(fold.members().configs).toEqual(new Map([[seven, { totalKvBlocks: 100 }]]));
    expect(problems.map(({ error }) => error.code)).toEqual(['malformed', 'too-deep', 'malformed']);
    for (const { error } of problems) expect(error.message.length).toBeLessThan(1000);
  });

  it('ids 0 and 2^64 − 1, in keys and as leases', () => {
    const fold = new DiscoveryFold();
    const max = workerId('18446744073709551615');
    fold.apply(
      batch.snapshot(
        put(`instances/${generate}`, {}),
        put(`v1/instances/${generate}/ffffffffffffffff`, { instance_id: 1 }),
        putText(`v1/instances/${generate}/FFFFFFFFFFFFFFFF`, '{"instance_id":18446744073709551615}'),
        put('models/a', modelEntry(generate, 5), max),
        put('models/b', modelEntry(generate, 6), workerId('0')),
      ),
    );
    expect(fold.members({ endpoint: endpointAt(generate) }).instances).toEqual(new Set([workerId('0'), max]));
    expect(fold.members().configs).toEqual(new Map([[max, { totalKvBlocks: 5 }]]));
    expect(fold.problems()).toHaveLength(1);
  });
});

describe('one namespace', () => {
  it('does not match another one, not even one whose name begins like it', () => {
    const fold = new DiscoveryFold({ namespace: 'ns1' });
    const { problems } = fold.apply(
      batch.snapshot(
        put('v1/instances/ns1/backend/generate/7', {}),
        put('v1/instances/ns10/backend/generate/8', {}),
        put('v1/mdc/ns10/backend/generate/8', modelCard(1)),
        put('instances/ns10/backend/generate:8', {}),
        putText('v1/mdc/ns10/backend/generate/9', 'no JSON'),
        put('models/a', modelEntry('ns10/backend/generate', 5), workerId('8')),
        put('models/b', modelEntry('ns1/backend/generate', 6), seven),
      ),
    );
    expect(problems).toEqual([]);
    expect([...fold.workers().keys()]).toEqual([seven]);
    const moved = fold.apply(
      batch.changes(put('models/b', modelEntry('ns10/backend/generate', 6), seven), remove('models/a')),
    );
    expect(moved.in().configs).toEqual(new Map([[seven, null]]));
  });

  it.each(['', 'a/b'])('%j is not a valid namespace', (namespace) => {
    expect(() => new DiscoveryFold({ namespace })).toThrow(
      expect.objectContaining({ code: 'scope' }) as Error,
    );
  });
});

describe('what a change costs', () => {
  it('the summaries of other workers are neither rebuilt nor copied', () => {
    const fold = new DiscoveryFold();
    const others = Array.from({ length: 500 }, (_, n) => (n + 16).toString(16));
    fold.apply(batch.snapshot(...others.map((id) => put(`v1/mdc/${generate}/${id}`, modelCard(1)))));
    const before = fold.workers();
    const difference = fold.apply(batch.changes(put(cardOf7, modelCard(100))));
    expect([difference.in().configs.size, difference.workers.size]).toEqual([1, 1]);
    expect(difference.in({ endpoint: endpointAt(generate) }).configs.size).toBe(1);
    for (const [id, info] of before) expect(fold.workers().get(id)).toBe(info);
  });
});
