import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { monotonicScheduler } from '../../src/adapters/clock/monotonic-scheduler.js';
import type { ActiveLoad } from '../../src/core/events/fleet-event.js';
import { policies } from '../../src/core/policy/policies.js';
import { MemoryKeys } from '../../src/core/sources/key-source.js';
import { MemoryMessages } from '../../src/core/sources/message-source.js';
import { workerId } from '../../src/core/worker-id.js';
import { loadSubject } from '../../src/dynamo/loads/subjects.js';
import { workerKeys } from '../../src/dynamo/publishing/worker-keys.js';
import { dynamoFleet } from '../../src/fleet/dynamo-fleet.js';
import { FleetPools } from '../../src/fleet/pools/fleet-pools.js';
import { encodeActiveLoad, encodeEnvelope } from '../../src/wire/loads/load-encoder.js';

const at = { namespace: 'prod', component: 'backend', endpoint: 'generate' };
const id = workerId('7');
const keysOfWorker = workerKeys({
  ...at,
  transport: { kind: 'tcp', address: '10.0.0.5:41000/generate' },
  card: { model: 'tiny', runtimeConfig: { totalKvBlocks: 100 } },
  release: '1.6',
});

/** The bytes of a load, as a worker of 1.6 publishes it. */
function loadOf(kvUsedBlocks: number): Uint8Array {
  const load: ActiveLoad = {
    workerId: id,
    dpRank: 0,
    activeDecodeBlocks: null,
    activePrefillTokens: null,
    kvUsedBlocks,
  };
  return encodeEnvelope({ publisherId: '9', sequence: 0, publishedAt: 0 }, encodeActiveLoad(load, 5));
}

it('a fleet over an adapter of your own: a source of keys and a source of messages', async () => {
  // An adapter implements these two interfaces. In memory, they can be written to by hand.
  const discovery = new MemoryKeys('my keys');
  const events = new MemoryMessages('my messages');

  const fleet = dynamoFleet({ discovery, events, namespace: 'prod' });
  const thresholds = { activeDecodeBlocksThreshold: 0.85 };
  const scheduler = monotonicScheduler;
  const pools = new FleetPools(fleet, { policy: policies.default, thresholds, scheduler });
  const running = pools.run();

  discovery.apply(keysOfWorker(id));
  await turn();
  const [pool] = pools.list();
  const busySets: string[][] = [];
  pool?.monitor.busy$.subscribe((set) => busySets.push([...set]));
  events.publish(loadSubject(at), loadOf(90));
  events.publish(loadSubject(at), loadOf(10));

  expect(pool?.name).toEqual({ model: 'tiny', endpoint: at });
  expect(busySets).toEqual([[], ['7'], []]);
  running.unsubscribe();
});
