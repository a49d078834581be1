import { describe, expect, it } from 'vitest';
import { workerId } from '../../../src/core/worker-id.js';
import { DiscoveryFold } from '../../../src/dynamo/discovery/discovery-fold.js';
import { batch, endpointAt, modelCard, put, remove } from '../../support/discovery.js';

const backend = endpointAt('dynamo/backend/generate');
const prefill = endpointAt('dynamo/prefill/generate');
const ids = (keys: Iterable<string>): string[] => [...keys].sort();

/** A worker with an instance and a card. */
function worker(id: string, more: object = {}, path = 'dynamo/backend/generate') {
  return [put(`v1/instances/${path}/${id}`, {}), put(`v1/mdc/${path}/${id}`, modelCard(100, more))];
}

/** One worker of each role, and one whose card does not say its role, at one endpoint. */
const everyRole = [
  ...worker('1', { worker_type: 'decode' }),
  ...worker('2', { worker_type: 'aggregated' }),
  ...worker('3', { worker_type: 'prefill' }),
  ...worker('4', { worker_type: 'encode' }),
  ...worker('5', { model_type: 'Chat | Completions' }),
  ...worker('6', { model_type: 'Prefill' }),
];

function folded(
  scope: ConstructorParameters<typeof DiscoveryFold>[0],
  ...changes: Parameters<typeof batch.snapshot>
): DiscoveryFold {
  const fold = new DiscoveryFold(scope);
  fold.apply(batch.snapshot(...changes));
  return fold;
}

describe('selection by role', () => {
  it.each([
    [undefined, ['1', '2', '3', '4', '5', '6']],
    ['decode', ['1', '2', '5']],
    ['aggregated', ['2', '5']],
    ['prefill', ['3', '6']],
    ['encode', ['4']],
  ] as const)('%s: the workers of that role; decode includes aggregated ones', (role, expected) => {
    const fold = new DiscoveryFold();
    const difference = fold.apply(batch.snapshot(...everyRole));
    for (const selector of [{ role }, { role, endpoint: backend }, { role, model: 'tiny' }]) {
      const { configs, instances } = fold.members(selector);
      expect([ids(configs.keys()), ids(instances)]).toEqual([expected, expected]);
      const { configs: changed, instances: present } = difference.in(selector);
      expect([ids(changed.keys()), ids(present.keys())]).toEqual([expected, expected]);
    }
  });

  it('a worker that changes its role leaves one selection and joins the other', () => {
    const fold = folded({}, ...worker('7', { worker_type: 'decode' }));
    const difference = fold.apply(batch.changes(...worker('7', { worker_type: 'prefill' })));
    const seven = workerId('7');
    expect(difference.in({ role: 'decode' }).instances).toEqual(new Map([[seven, false]]));
    expect(difference.in({ role: 'prefill' }).instances).toEqual(new Map([[seven, true]]));
    expect(difference.in()).toEqual({ configs: new Map(), instances: new Map() });
  });

  it('a worker with two roles has each of them at its own endpoint', () => {
    const fold = folded(
      {},
      ...worker('7', { worker_type: 'decode' }),
      ...worker('7', { worker_type: 'prefill' }, 'dynamo/prefill/generate'),
    );
    for (const [role, own, other] of [
      ['decode', backend, prefill],
      ['prefill', prefill, backend],
    ] as const) {
      expect(ids(fold.members({ role, endpoint: own }).instances)).toEqual(['7']);
      expect(ids(fold.members({ role, endpoint: other }).instances)).toEqual([]);
    }
  });

  it('a worker without an instance at the endpoint of its card is not present', () => {
    const [, card] = worker('7', { worker_type: 'prefill' });
    const fold = folded({}, card as never, put('v1/instances/dynamo/backend/other/7', {}));
    const { configs, instances } = fold.members({ role: 'prefill' });
    expect([configs.size, instances.size]).toEqual([1, 0]);
    expect(fold.members().instances.size).toBe(1);
  });
});

describe('pools by role', () => {
  const decodePool = { model: 'tiny', endpoint: backend };
  const prefillPool = { model: 'tiny', endpoint: backend, role: 'prefill' };

  it('one pool for workers that decode and one for those that prefill; encode workers are in none', () => {
    expect([
      ...folded({}, ...everyRole)
        .pools()
        .values(),
    ]).toEqual([decodePool, prefillPool]);
    expect(folded({}, ...worker('4', { worker_type: 'encode' })).pools().size).toBe(0);
  });

  it('a pool stays until its last worker of the role leaves', () => {
    const fold = folded({}, ...everyRole);
    fold.apply(batch.changes(...worker('3', { worker_type: 'decode' })));
    expect([...fold.pools().values()]).toEqual([decodePool, prefillPool]);
    fold.apply(batch.changes(remove('v1/mdc/dynamo/backend/generate/6')));
    expect([...fold.pools().values()]).toEqual([decodePool]);
  });
});

describe('the scope of a fleet', () => {
  const fleet = [
    ...worker('1'),
    ...worker('2', {}, 'dynamo/prefill/generate'),
    ...worker('3', { worker_type: 'decode' }, 'dynamo/prefill/generate'),
    ...worker('4', {}, 'dynamo/other/generate'),
    ...worker('5', {}, 'second/prefill/generate'),
  ];

  it('with an endpoint: only the workers there', () => {
    const fold = folded({ endpoint: 'dynamo.backend.generate' }, ...fleet);
    expect(ids(fold.workers().keys())).toEqual(['1']);
    expect([...fold.pools().values()]).toEqual([{ model: 'tiny', endpoint: backend }]);
  });

  it('with a prefill endpoint too: also those, as prefill workers where their cards do not say otherwise', () => {
    const fold = folded(
      { endpoint: 'dynamo.backend.generate', prefillEndpoint: 'prefill.generate' },
      ...fleet,
    );
    expect(ids(fold.workers().keys())).toEqual(['1', '2', '3']);
    expect(ids(fold.members({ role: 'prefill' }).configs.keys())).toEqual(['2']);
    expect(ids(fold.members({ role: 'decode' }).configs.keys())).toEqual(['1', '3']);
    expect([...fold.pools().values()]).toEqual([
      { model: 'tiny', endpoint: backend },
      { model: 'tiny', endpoint: prefill, role: 'prefill' },
      { model: 'tiny', endpoint: prefill },
    ]);
  });

  it('with a prefill endpoint alone: all workers, with that role there', () => {
    const fold = folded({ prefillEndpoint: 'dynamo.prefill.generate' }, ...fleet);
    expect(ids(fold.workers().keys())).toEqual(['1', '2', '3', '4', '5']);
    expect(ids(fold.members({ role: 'prefill' }).configs.keys())).toEqual(['2']);
  });

  it('a prefill endpoint outside the namespace is refused', () => {
    const scope = { endpoint: 'dynamo.backend.generate', prefillEndpoint: 'second.prefill.generate' };
    expect(() => new DiscoveryFold(scope)).toThrow(/outside the watched namespace "dynamo"/);
  });

  it('a worker that moves out of the scope is gone', () => {
    const fold = folded({ endpoint: 'dynamo.backend.generate' }, ...fleet);
    const entry = (component: string) =>
      put(
        'models/x',
        { name: 'old', endpoint: { namespace: 'dynamo', component, name: 'generate' } },
        workerId('9'),
      );
    fold.apply(batch.changes(entry('backend')));
    expect(ids(fold.workers().keys())).toEqual(['1', '9']);
    expect(fold.apply(batch.changes(entry('other'))).workers).toEqual(new Map([['9', null]]));
  });
});
