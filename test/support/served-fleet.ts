import { NEVER, of, Subject } from 'rxjs';
import { monotonicScheduler } from '../../src/adapters/clock/monotonic-scheduler.js';
import { discoverWorkers } from '../../src/dynamo/discovery/discover-workers.js';
import type { ActiveLoad } from '../../src/core/events/fleet-event.js';
import type { LoadBatch } from '../../src/core/events/load-batch.js';
import { policies, type PolicyName } from '../../src/core/policy/policies.js';
import { MemoryKeys } from '../../src/core/sources/key-source.js';
import type { Problem } from '../../src/core/sources/problem.js';
import type { SourceStatus } from '../../src/core/sources/source-status.js';
import { workerId } from '../../src/core/worker-id.js';
import { FleetPools } from '../../src/fleet/pools/fleet-pools.js';
import type { ServiceOptions } from '../../src/service/service-options.js';
import { startService, type Service } from '../../src/service/start-service.js';
import { remove, put } from './discovery.js';

/** The default endpoint of the workers of a served fleet. */
const HERE = 'dynamo/backend/generate';

/** A service with a fleet that the test controls. */
export class ServedFleet implements AsyncDisposable {
  private readonly keys = new MemoryKeys();
  private readonly loads$ = new Subject<ActiveLoad | LoadBatch>();
  private readonly problems$ = new Subject<Problem>();
  private readonly discovery$ = new Subject<SourceStatus>();
  readonly pools: FleetPools;
  service!: Service;

  constructor(policy: PolicyName = 'default') {
    const discovery = discoverWorkers(this.keys);
    const { pools$, models$, workers$ } = discovery;
    const { loads$ } = this;
    const live: SourceStatus = { source: 'loads', state: 'live', since: 0 };
    this.pools = new FleetPools(
      {
        pools$,
        models$,
        workers$,
        pool: (selector) => ({ ...discovery.pool(selector), loads$, sources: { loads: loads$ } }),
        loads$,
        accounting$: NEVER,
        endpoints$: NEVER,
        problems$: this.problems$,
        status: [of(live), this.discovery$],
      },
      { policy: policies[policy], thresholds: {}, scheduler: monotonicScheduler },
    );
  }

  /** Starts the service on a free port, without workers. */
  static async start({
    policy,
    ...options
  }: Partial<Omit<ServiceOptions, 'pools'>> & { policy?: PolicyName } = {}): Promise<ServedFleet> {
    const fleet = new ServedFleet(policy);
    fleet.service = await startService({ pools: fleet.pools, port: 0, ...options });
    fleet.speak('live');
    return fleet;
  }

  get url(): string {
    return this.service.url;
  }

  /** The status of the discovery source. */
  speak(state: SourceStatus['state'], why?: string): void {
    this.discovery$.next({
      source: 'discovery',
      state,
      since: Date.now(),
      ...(why !== undefined && { why }),
    });
  }

  /** The last status of the source of loads. */
  failLoads(error: Error): void {
    this.loads$.error(error);
  }

  /** Reports a recoverable problem. */
  problem(problem: Problem): void {
    this.problems$.next(problem);
  }

  /** A worker with a model card of 100 blocks, or (`null`) without any key. */
  async worker(
    id: string,
    model: string | null = 'tiny-model',
    at = HERE,
    ranks = 1,
    role?: 'decode' | 'prefill',
  ): Promise<void> {
    const hex = BigInt(id).toString(16);
    const [instance, cardKey] = [`v1/instances/${at}/${hex}`, `v1/mdc/${at}/${hex}`];
    const size = { total_kv_blocks: 100, max_num_batched_tokens: 1000, data_parallel_size: ranks };
    this.keys.apply(
      model === null
        ? [remove(instance), remove(cardKey)]
        : [put(instance, {}), put(cardKey, { display_name: model, worker_type: role, runtime_config: size })],
    );
    // Pools are added and removed after the batch.
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** The model card of a LoRA adapter on a worker, or (`false`) its removal. */
  async adapter(id: string, adapter: string, present = true): Promise<void> {
    const key = `v1/mdc/${HERE}/${BigInt(id).toString(16)}/${adapter}`;
    this.keys.apply([present ? put(key, { display_name: adapter, lora: { name: adapter } }) : remove(key)]);
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** A load of one rank, in blocks that are used. */
  load(id: string, blocks: number | null, dpRank = 0, tokens: number | bigint | null = null): void {
    this.loads$.next({
      workerId: workerId(id),
      dpRank,
      activeDecodeBlocks: blocks,
      activePrefillTokens: tokens,
      kvUsedBlocks: blocks,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.service.stop();
  }
}
