import type { Subscription } from 'rxjs';
import { monotonicScheduler } from '../../src/adapters/clock/monotonic-scheduler.js';
import { type FleetState, fleetStateOf, modelStateOf } from '../../src/core/judgement/fleet-state.js';
import type { Role } from '../../src/core/events/fleet-event.js';
import type { LoadThresholdUpdate } from '../../src/core/policy/load-thresholds.js';
import { policies } from '../../src/core/policy/policies.js';
import type { FleetModel, ModelReadiness } from '../../src/core/sources/worker-info.js';
import { dynamoFleet } from '../../src/fleet/dynamo-fleet.js';
import { FleetPools } from '../../src/fleet/pools/fleet-pools.js';
import type { Pool } from '../../src/fleet/pools/pools.js';
import type { Servers } from './python-process.js';

const policy = policies.default;

/** All pools of the namespace `dynamo`, judged by the policy `default`. */
export class OurFleet implements Disposable {
  readonly problems: string[] = [];
  private readonly pools: FleetPools;
  private models: readonly FleetModel[] = [];
  private readonly run: Subscription;

  constructor({ nats, etcd }: Servers, thresholds: LoadThresholdUpdate = {}) {
    const fleet = dynamoFleet({ nats: nats.url, etcd: etcd.url, namespace: 'dynamo' });
    this.pools = new FleetPools(fleet, { policy, thresholds, scheduler: monotonicScheduler });
    this.run = fleet.models$.subscribe((models) => (this.models = models));
    this.run.add(
      this.pools.sourceMonitor.problems$.subscribe(({ code, text }) =>
        this.problems.push(`${code}: ${text}`),
      ),
    );
    this.run.add(this.pools.run());
  }

  live(): boolean {
    return this.pools.sourceMonitor.snapshot()?.status.every(({ state }) => state === 'live') ?? false;
  }

  /** The state of the pool of a role; `undefined` without such a pool. */
  poolState(role: Role): FleetState | undefined {
    const counts = this.countsOf(role);
    return counts && fleetStateOf(counts);
  }

  modelState(): FleetState {
    const [decode, prefill] = [this.countsOf('decode') ?? null, this.countsOf('prefill') ?? null];
    return modelStateOf({ decode, prefill }, policy);
  }

  busyWorkers(role: Role): string[] {
    return [...(this.poolOf(role)?.monitor.snapshot()?.busy ?? [])].sort();
  }

  /** Empty for a model that it does not know. */
  readiness(model: string): readonly ModelReadiness[] {
    return this.models.find(({ name }) => name === model)?.readiness ?? [];
  }

  [Symbol.dispose](): void {
    this.run.unsubscribe();
  }

  /** The tests have one model, and at most one endpoint for each of its roles. */
  private poolOf(role: Role): Pool | undefined {
    return this.pools.list().find(({ name }) => (name.role ?? 'decode') === role);
  }

  private countsOf(role: Role) {
    return this.poolOf(role)?.monitor.snapshot()?.fleet;
  }
}
