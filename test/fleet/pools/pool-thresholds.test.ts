import { EMPTY, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { MemoryKeys } from '../../../src/core/sources/key-source.js';
import { MemoryMessages } from '../../../src/core/sources/message-source.js';
import type { LoadThresholdUpdate } from '../../../src/core/policy/load-thresholds.js';
import { type PolicyName, policies } from '../../../src/core/policy/policies.js';
import { dynamoFleet } from '../../../src/fleet/dynamo-fleet.js';
import { FleetPools } from '../../../src/fleet/pools/fleet-pools.js';
import { forEachPool } from '../../../src/fleet/pools/pools.js';
import { id } from '../../support/fleet.js';
import { modelCard, put, remove } from '../../support/discovery.js';

const generate = 'dynamo/backend/generate';
const joins = (n: number, more: object = {}) => [
  put(`v1/instances/${generate}/${n}`, {}),
  put(`v1/mdc/${generate}/${n}`, modelCard(100, more)),
];
const leaves = (n: number) => [remove(`v1/instances/${generate}/${n}`), remove(`v1/mdc/${generate}/${n}`)];

/** Lets pools be added and removed, which follows the batch of keys. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const origin = { at: '2026-12-01T00:00:00.000Z', address: null, token: null, route: 'test' };
const off = {
  activeDecodeBlocksThreshold: null,
  activePrefillTokensThreshold: null,
  activePrefillTokensThresholdFrac: null,
};

/** The pools of a fleet in memory. */
function served(thresholds: LoadThresholdUpdate = {}, policy: PolicyName = 'default') {
  const keys = new MemoryKeys();
  const scheduler = new VirtualTimeScheduler();
  const fleet = dynamoFleet({ discovery: keys, events: new MemoryMessages(), scheduler });
  const pools = new FleetPools(fleet, { policy: policies[policy], thresholds, scheduler });
  const announced: (readonly [string, object | undefined])[] = [];
  const subscription = forEachPool(pools, ({ name, monitor }) => {
    announced.push([name.model, monitor.snapshot()?.thresholds]);
    return EMPTY;
  }).subscribe();
  subscription.add(pools.run());
  const inForce = () =>
    pools
      .list()
      .map(({ name, monitor }) => [name.model, name.role ?? 'decode', { ...monitor.snapshot()?.thresholds }]);
  return {
    keys,
    pools,
    book: pools.book,
    announced,
    inForce,
    [Symbol.dispose]: () => subscription.unsubscribe(),
  };
}

const decode = (fraction: number | null) => ({ ...off, activeDecodeBlocksThreshold: fraction });

describe('the thresholds of a pool', () => {
  it('are those of the rules, then those of the most specific target, and again those of the rules', async () => {
    using fleet = served(decode(0.1));
    fleet.keys.apply([
      ...joins(1, { display_name: 'llama', worker_type: 'decode' }),
      ...joins(2, { display_name: 'llama', worker_type: 'prefill' }),
      ...joins(3, { display_name: 'qwen' }),
    ]);
    await settle();
    const all = (llama: number | null, prefill: number | null, qwen: number | null) => [
      ['llama', 'decode', decode(llama)],
      ['llama', 'prefill', decode(prefill)],
      ['qwen', 'decode', decode(qwen)],
    ];
    expect(fleet.inForce()).toEqual(all(0.1, 0.1, 0.1));
    fleet.book.set({}, { activeDecodeBlocksThreshold: 0.2 }, origin);
    expect(fleet.inForce()).toEqual(all(0.2, 0.2, 0.2));
    fleet.book.set({ model: 'llama' }, { activeDecodeBlocksThreshold: 0.3 }, origin);
    expect(fleet.inForce()).toEqual(all(0.3, 0.3, 0.2));
    fleet.book.set({ role: 'prefill' }, { activeDecodeBlocksThreshold: null }, origin);
    expect(fleet.inForce()).toEqual(all(0.3, null, 0.2));
    fleet.book.set({ model: 'llama', role: 'prefill' }, { activeDecodeBlocksThreshold: 0.5 }, origin);
    expect(fleet.inForce()).toEqual(all(0.3, 0.5, 0.2));
    for (const { target } of fleet.book.entries()) fleet.book.unset(target, origin);
    expect(fleet.inForce()).toEqual(all(0.1, 0.1, 0.1));
  });

  it('apply to a pool that appears later, before it is announced, and survive its end', async () => {
    using fleet = served();
    fleet.book.set({ model: 'llama' }, { activeDecodeBlocksThreshold: 0.3 }, origin);
    fleet.keys.apply(joins(1, { display_name: 'llama' }));
    await settle();
    fleet.keys.apply(leaves(1));
    await settle();
    expect(fleet.inForce()).toEqual([]);
    fleet.keys.apply(joins(2, { display_name: 'llama' }));
    await settle();
    expect(fleet.inForce()).toEqual([['llama', 'decode', decode(0.3)]]);
    const announced = fleet.announced.map(([model, thresholds]) => [model, { ...thresholds }]);
    expect(announced).toEqual([
      ['llama', decode(0.3)],
      ['llama', decode(0.3)],
    ]);
  });

  it.each(Object.keys(policies) as PolicyName[])(
    'are off under %s after null, although null may change nothing there, and are those of the start after a removal',
    async (policy) => {
      using fleet = served({ activeDecodeBlocksThreshold: 0.57 }, policy);
      fleet.keys.apply(joins(1, { display_name: 'llama' }));
      await settle();
      const start = fleet.inForce();
      fleet.book.set({ model: 'llama' }, off, origin);
      expect(fleet.inForce()).toEqual([['llama', 'decode', off]]);
      fleet.book.unset({ model: 'llama' }, origin);
      expect(fleet.inForce()).toEqual(start);
    },
  );
});

describe('the thresholds of a worker', () => {
  /** The tokens above which workers 1 and 2 are busy. */
  const limitsIn = ({ pools }: ReturnType<typeof served>) =>
    pools.list().map(({ name, monitor }) => {
      const ranks = monitor.ranks();
      const shown = Array.from({ length: ranks?.end ?? 0 }, (_, worker) => [
        ranks?.workerId(worker),
        ranks?.workerThresholds(worker).activePrefillTokensThreshold,
      ]);
      return [name.model, Object.fromEntries(shown) as object];
    });
  const tokens = (limit: number | null) => ({ activePrefillTokensThreshold: limit });
  const [one, two] = [{ workerId: id(1) }, { workerId: id(2) }];

  it('are those of the most specific entry that names it, and otherwise those of its pool', async () => {
    using fleet = served({ activePrefillTokensThreshold: 10 });
    fleet.keys.apply([...joins(1, { display_name: 'llama' }), ...joins(2, { display_name: 'llama' })]);
    await settle();
    const limits = (first: number | null, second: number | null) => [['llama', { 1: first, 2: second }]];
    expect(limitsIn(fleet)).toEqual(limits(10, 10));
    fleet.book.set(one, tokens(20), origin);
    expect(limitsIn(fleet)).toEqual(limits(20, 10));
    fleet.book.set({ ...one, model: 'llama' }, tokens(null), origin);
    fleet.book.set({ ...two, model: 'qwen' }, tokens(30), origin);
    fleet.book.set({ ...two, role: 'prefill' }, tokens(30), origin);
    expect(limitsIn(fleet)).toEqual(limits(null, 10));
    fleet.book.set({ model: 'llama' }, tokens(40), origin);
    expect(limitsIn(fleet)).toEqual(limits(null, 40));
    fleet.book.unset({ ...one, model: 'llama' }, origin);
    expect(limitsIn(fleet)).toEqual(limits(20, 40));
    fleet.book.load([], []);
    expect(limitsIn(fleet)).toEqual(limits(10, 10));
  });

  it('apply to a worker and a pool that appear later', async () => {
    using fleet = served();
    fleet.book.set(one, tokens(20), origin);
    for (let round = 0; round < 2; round += 1) {
      fleet.keys.apply(joins(1, { display_name: 'llama' }));
      await settle();
      expect(limitsIn(fleet)).toEqual([['llama', { 1: 20 }]]);
      fleet.keys.apply(leaves(1));
      await settle();
      expect(limitsIn(fleet)).toEqual([]);
    }
  });
});

describe('an adapter', () => {
  const card = `v1/mdc/${generate}/1/llama-sql`;
  const loaded = put(card, { ...modelCard(100), display_name: 'llama-sql', lora: { name: 'llama-sql' } });

  it('has a pool of its own while it has thresholds of its own', async () => {
    using fleet = served(decode(0.1));
    fleet.keys.apply([...joins(1, { display_name: 'llama' }), loaded]);
    await settle();
    const base = ['llama', 'decode', decode(0.1)];
    expect(fleet.inForce()).toEqual([base]);
    expect(fleet.pools.models().map(({ name, adapterOf }) => [name, adapterOf])).toContainEqual([
      'llama-sql',
      'llama',
    ]);
    fleet.book.set({ model: 'llama' }, { activeDecodeBlocksThreshold: 0.2 }, origin);
    fleet.book.set({ model: 'llama-sql' }, { activePrefillTokensThreshold: 7 }, origin);
    // The thresholds of its base are not its own.
    expect(fleet.inForce()).toEqual([
      ['llama', 'decode', decode(0.2)],
      ['llama-sql', 'decode', { ...decode(0.1), activePrefillTokensThreshold: 7 }],
    ]);
    fleet.book.unset({ model: 'llama-sql' }, origin);
    expect(fleet.inForce()).toEqual([['llama', 'decode', decode(0.2)]]);
  });

  it('has no pool after its model card is gone, and one again when the card is back', async () => {
    using fleet = served();
    fleet.book.set({ model: 'llama-sql' }, { activePrefillTokensThreshold: 7 }, origin);
    fleet.keys.apply(joins(1, { display_name: 'llama' }));
    for (const isLoaded of [true, false, true]) {
      fleet.keys.apply([isLoaded ? loaded : remove(card)]);
      await settle();
      expect(fleet.pools.list().map(({ name }) => name.model)).toEqual(
        isLoaded ? ['llama', 'llama-sql'] : ['llama'],
      );
    }
  });
});
