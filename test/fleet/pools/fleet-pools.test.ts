import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { MemoryKeys } from '../../../src/core/sources/key-source.js';
import { MemoryMessages } from '../../../src/core/sources/message-source.js';
import { ThresholdError } from '../../../src/core/policy/load-threshold-config.js';
import type { LoadThresholdUpdate } from '../../../src/core/policy/load-thresholds.js';
import { policies } from '../../../src/core/policy/policies.js';
import { loadSubject } from '../../../src/dynamo/loads/subjects.js';
import { dynamoFleet } from '../../../src/fleet/dynamo-fleet.js';
import { FleetPools } from '../../../src/fleet/pools/fleet-pools.js';
import { forEachPool } from '../../../src/fleet/pools/pools.js';
import { encodeActiveLoad, encodeEnvelope } from '../../../src/wire/loads/load-encoder.js';
import { modelCard, put, remove } from '../../support/discovery.js';
import { load, id } from '../../support/fleet.js';

const generate = 'dynamo/backend/generate';
const worker = (n: number, more: object = {}) => [
  put(`v1/instances/${generate}/${n}`, {}),
  put(`v1/mdc/${generate}/${n}`, modelCard(100, more)),
];

const origin = { at: '2026-01-01T00:00:00.000Z', address: null, token: null, route: 'test' } as const;

/** Lets pools be added and removed, which follows the batch of keys. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The pools of a fleet in memory, and every transition that those who follow them see. */
function following(thresholds: LoadThresholdUpdate = { activePrefillTokensThreshold: 10 }) {
  const [keys, messages] = [new MemoryKeys(), new MemoryMessages()];
  const scheduler = new VirtualTimeScheduler();
  const fleet = dynamoFleet({ discovery: keys, events: messages, scheduler });
  const pools = new FleetPools(fleet, { policy: policies.default, thresholds, scheduler });
  const seen: string[] = [];
  const subscription = forEachPool(pools, ({ monitor }) => monitor.transitions$).subscribe(
    ({ workerId, busy }) => seen.push(`${workerId}${busy ? '+' : '-'}`),
  );
  subscription.add(pools.run());
  let sequence = 0;
  const publish = (n: number, activePrefillTokens: number): void => {
    const envelope = { publisherId: '9', sequence, publishedAt: 0 };
    sequence += 1;
    const sent = encodeActiveLoad(load({ workerId: id(n), activePrefillTokens }), 5);
    messages.publish(loadSubject({ namespace: 'dynamo' }), encodeEnvelope(envelope, sent));
  };
  return { keys, pools, seen, subscription, publish };
}

describe('FleetPools', () => {
  it.each([
    ['as text', { activeDecodeBlocksThreshold: '0.5' }],
    ['under a misspelt name', { activeDecodeBlockThreshold: 0.5 }],
    ['outside its range', { activeDecodeBlocksThreshold: 1.5 }],
    ['as null', null],
  ])('refuses a threshold %s when it is made', (_, thresholds) => {
    expect(() => following(thresholds as LoadThresholdUpdate)).toThrow(ThresholdError);
  });

  it('announces a pool before its monitor gets held loads, so that a transition that they cause is seen', async () => {
    const { keys, seen, publish, subscription } = following();
    publish(7, 11);
    publish(8, 3);
    keys.apply([...worker(7), ...worker(8)]);
    await settle();
    expect(seen).toEqual(['7+', '8-']);
    publish(8, 12);
    publish(7, 1);
    expect(seen).toEqual(['7+', '8-', '8+', '7-']);
    subscription.unsubscribe();
  });

  it('a load of a worker that joins a present pool later is held too', async () => {
    const { keys, seen, publish, subscription } = following();
    keys.apply(worker(7));
    await settle();
    publish(8, 12);
    expect(seen).toEqual([]);
    keys.apply(worker(8));
    expect(seen).toEqual(['8+']);
    subscription.unsubscribe();
  });

  it('a worker of two models is judged in both by a load before its keys, and by one before the second model', async () => {
    const { keys, pools, publish, subscription } = following();
    const second = (n: number) => [
      put(`v1/instances/dynamo/backend/embed/${n}`, {}),
      put(`v1/mdc/dynamo/backend/embed/${n}`, modelCard(100, { display_name: 'second' })),
    ];
    publish(7, 11);
    keys.apply([...worker(7), ...second(7), ...worker(8)]);
    await settle();
    publish(8, 11);
    keys.apply(second(8));
    await settle();
    expect(pools.list().map(({ monitor }) => [...(monitor.snapshot()?.busy ?? [])])).toEqual([
      ['7', '8'],
      ['7', '8'],
    ]);
    subscription.unsubscribe();
  });

  it('an adapter that gets thresholds of its own is judged at once by what its workers last said', async () => {
    const { keys, pools, publish, subscription } = following();
    const adapter = { display_name: 'sql', lora: { name: 'sql' } };
    keys.apply([...worker(7), put(`v1/mdc/${generate}/7/sql`, adapter), ...worker(8)]);
    await settle();
    publish(7, 11);
    publish(8, 11);
    pools.book.set({ model: 'sql' }, { activePrefillTokensThreshold: 20 }, origin);
    const own = pools.list().find(({ name }) => name.model === 'sql');
    expect(own?.monitor.snapshot()?.fleet).toMatchObject({ busy: 0, free: 1, unknown: 0 });
    subscription.unsubscribe();
  });

  it('has a pool for each role of a model; its name says prefill, and its monitor has the workers of its role', async () => {
    const { keys, pools, subscription } = following();
    keys.apply([
      ...worker(1, { worker_type: 'decode' }),
      ...worker(2, { worker_type: 'aggregated' }),
      ...worker(3, { worker_type: 'prefill' }),
      ...worker(4, { worker_type: 'encode' }),
    ]);
    await settle();
    const rolesAndIds = pools.list().map(({ name, monitor }) => ({
      role: name.role,
      ids: monitor.snapshot()?.fleet.instances,
    }));
    expect(rolesAndIds).toEqual([
      { role: undefined, ids: 2 },
      { role: 'prefill', ids: 1 },
    ]);
    keys.apply([remove(`v1/instances/${generate}/3`), remove(`v1/mdc/${generate}/3`)]);
    await settle();
    expect(pools.list().map(({ name }) => name.role)).toEqual([undefined]);
    subscription.unsubscribe();
    expect(pools.list()).toEqual([]);
  });
});
