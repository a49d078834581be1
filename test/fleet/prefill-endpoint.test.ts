import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { monotonicScheduler } from '../../src/adapters/clock/monotonic-scheduler.js';
import { loadMonitor } from '../../src/core/pipeline/load-monitor.js';
import { policies } from '../../src/core/policy/policies.js';
import { MemoryKeys } from '../../src/core/sources/key-source.js';
import { MemoryMessages } from '../../src/core/sources/message-source.js';
import { workerId, type WorkerId } from '../../src/core/worker-id.js';
import { loadSubject } from '../../src/dynamo/loads/subjects.js';
import { workerKeys } from '../../src/dynamo/publishing/worker-keys.js';
import { dynamoFleet } from '../../src/fleet/dynamo-fleet.js';
import type { Fleet } from '../../src/fleet/fleet.js';
import { FleetPools } from '../../src/fleet/pools/fleet-pools.js';
import { encodeActiveLoad, encodeEnvelope } from '../../src/wire/loads/load-encoder.js';

const decodeAt = { namespace: 'prod', component: 'backend', endpoint: 'generate' };
const prefillAt = { ...decodeAt, component: 'prefill' };
const [decodeId, prefillId, otherId] = [workerId('7'), workerId('8'), workerId('9')];
const thresholds = { activePrefillTokensThreshold: 10 };
const options = { policy: policies.default, thresholds, scheduler: monotonicScheduler };

/** A fleet with a worker at each of three endpoints, whose cards do not say a role. */
class RunningFleet {
  readonly fleet: Fleet;
  private readonly discovery = new MemoryKeys();
  private readonly events = new MemoryMessages();

  constructor() {
    this.register(decodeAt, decodeId);
    this.register(prefillAt, prefillId);
    this.register({ ...decodeAt, component: 'other' }, otherId);
    const { discovery, events } = this;
    this.fleet = dynamoFleet({
      discovery,
      events,
      endpoint: 'prod.backend.generate',
      prefillEndpoint: 'prod.prefill.generate',
    });
  }

  /** Publishes prefill tokens for every worker. */
  publish(activePrefillTokens: number): void {
    for (const id of [decodeId, prefillId, otherId]) {
      const load = {
        workerId: id,
        dpRank: 0,
        activeDecodeBlocks: 1,
        activePrefillTokens,
        kvUsedBlocks: null,
      };
      const header = { publisherId: id, sequence: 0, publishedAt: 0 };
      this.events.publish(loadSubject(decodeAt), encodeEnvelope(header, encodeActiveLoad(load, 5)));
    }
  }

  private register(at: typeof decodeAt, id: WorkerId): void {
    const transport = { kind: 'tcp', address: '127.0.0.1:9/generate' } as const;
    const card = { model: 'tiny', runtimeConfig: { totalKvBlocks: 100 } };
    this.discovery.apply(workerKeys({ ...at, transport, card, release: '1.0' })(id));
  }
}

describe('a fleet with a prefill endpoint judges its prefill workers', () => {
  it('in one monitor of both roles', () => {
    const running = new RunningFleet();
    const monitor = loadMonitor(running.fleet.pool().sources, options);
    const busySets: string[][] = [];
    monitor.busy$.subscribe((set) => busySets.push([...set]));
    monitor.connect();
    running.publish(11);
    expect(busySets.at(-1)?.toSorted()).toEqual([decodeId, prefillId]);
    running.publish(1);
    expect(busySets.at(-1)).toEqual([]);
    expect(monitor.snapshot()?.fleet).toMatchObject({ instances: 2 });
    monitor.stop();
  });

  it('in a pool of its own, with the role of the pool', async () => {
    const running = new RunningFleet();
    const pools = new FleetPools(running.fleet, options);
    const run = pools.run();
    await turn();
    running.publish(11);
    const judged = pools.list().map(({ name, monitor }) => [name, [...(monitor.snapshot()?.busy ?? [])]]);
    expect(judged).toEqual([
      [{ model: 'tiny', endpoint: decodeAt }, [decodeId]],
      [{ model: 'tiny', endpoint: prefillAt, role: 'prefill' }, [prefillId]],
    ]);
    run.unsubscribe();
  });
});
