import { VirtualTimeScheduler } from 'rxjs';
import { expect, it } from 'vitest';
import { policies } from '../../../src/core/policy/policies.js';
import { MemoryKeys } from '../../../src/core/sources/key-source.js';
import { MemoryMessages } from '../../../src/core/sources/message-source.js';
import { dynamoFleet } from '../../../src/fleet/dynamo-fleet.js';
import { FleetPools } from '../../../src/fleet/pools/fleet-pools.js';
import { busyReport } from '../../../src/service/queries/busy.js';
import { PoolSummaries } from '../../../src/service/queries/pool-summary.js';
import { modelCard, put, remove } from '../../support/discovery.js';

it('a model whose pool is beyond the limit is unknown, not without workers', async () => {
  const [keys, events] = [new MemoryKeys(), new MemoryMessages()];
  const scheduler = new VirtualTimeScheduler();
  const fleet = dynamoFleet({ discovery: keys, events, scheduler, maxPools: 1 });
  const pools = new FleetPools(fleet, { policy: policies.default, thresholds: {}, scheduler });
  const running = pools.run();
  const summaries = new PoolSummaries();
  const stateOf = (model: string) => {
    const { state, retryAfterSeconds } = busyReport(pools, { model }, summaries);
    return { state, retryAfterSeconds };
  };
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const at = (n: number): string => `dynamo/backend${n}/generate/${n}`;
  for (const n of [1, 2]) {
    keys.apply([
      put(`v1/instances/${at(n)}`, {}),
      put(`v1/mdc/${at(n)}`, modelCard(100, { display_name: `model-${n}` })),
    ]);
  }
  await settle();
  expect(pools.list()).toHaveLength(1);
  expect(stateOf('model-2')).toEqual({ state: 'unknown', retryAfterSeconds: null });
  keys.apply([remove(`v1/instances/${at(1)}`)]);
  expect(stateOf('model-1').state).toBe('none');
  keys.apply([remove(`v1/instances/${at(2)}`), remove(`v1/mdc/${at(2)}`)]);
  await settle();
  expect(stateOf('model-2').state).toBe('none');
  running.unsubscribe();
});
