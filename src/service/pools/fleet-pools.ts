import {
  type Observable,
  type SchedulerLike,
  Subject,
  Subscription,
  asapScheduler,
  interval,
  map,
  merge,
  mergeMap,
  observeOn,
} from 'rxjs';
import type { PoolSources } from '../../adapters/etcd/discovery.js';
import type { AccountingReport } from '../../adapters/nats/load-receiver.js';
import type { ActiveLoad, FleetEvent } from '../../core/events/fleet-event.js';
import type { LoadBatch } from '../../core/events/load-batch.js';
import { type LoadMonitor, loadMonitor } from '../../core/pipeline/load-monitor.js';
import type { LoadPolicy } from '../../core/policy/load-policy.js';
import type { LoadThresholdUpdate } from '../../core/policy/load-thresholds.js';
import type { Problem } from '../../core/sources/problem.js';
import type { PoolName } from '../../core/sources/worker-info.js';
import { fleetProblems } from '../../core/state/fleet-problems.js';
import type { WorkerId } from '../../core/worker-id.js';
import { errorText } from '../../operators/error-text.js';
import { poolPath } from '../../wire/endpoint-names.js';
import type { Fleet } from './live-fleet.js';
import { LoadRouter } from './load-router.js';
import type { Pool, PoolChange, Pools } from './pools.js';

/** How all pools of a fleet are judged. */
export interface PoolRules {
  readonly policy: LoadPolicy;
  /** The marks that a pool begins with. */
  readonly thresholds: LoadThresholdUpdate;
  readonly scheduler: SchedulerLike;
}

/** One pool of a fleet: a monitor on its cards and instances, and on those loads that are of its members. */
export class FleetPool implements Pool {
  readonly monitor: LoadMonitor;
  private readonly members = new Set<WorkerId>();
  private readonly thresholds$ = new Subject<LoadThresholdUpdate>();
  private readonly loads$ = new Subject<ActiveLoad | LoadBatch>();

  constructor(
    readonly name: PoolName,
    private readonly sources: PoolSources,
    private readonly router: LoadRouter,
    { policy, thresholds, scheduler }: PoolRules,
  ) {
    const { configs$, instances$ } = sources;
    this.monitor = loadMonitor(
      { configs: configs$, decodeInstances: instances$, loads: this.loads$, thresholds: this.thresholds$ },
      { policy, scheduler, start: { thresholds } },
    );
  }

  setThresholds(change: LoadThresholdUpdate): void {
    this.thresholds$.next(change);
  }

  /** Judges until the subscription is ended. */
  run(): Subscription {
    // The monitor hears of a worker before its loads come, as it subscribes first.
    const subscription = new Subscription();
    subscription.add(this.monitor.connect());
    subscription.add(
      this.sources.configs$.subscribe({
        next: (change) => {
          if ('workerId' in change) return this.put(change.workerId, change.config !== null);
          for (const workerId of [...this.members]) if (!change.has(workerId)) this.put(workerId, false);
          for (const workerId of change.keys()) this.put(workerId, true);
        },
        // The monitor tells it; who was a member stays one.
        error: () => undefined,
      }),
    );
    subscription.add(() => {
      for (const workerId of [...this.members]) this.put(workerId, false);
    });
    return subscription;
  }

  private put(workerId: WorkerId, present: boolean): void {
    if (this.members.has(workerId) === present) return;
    if (present) {
      this.members.add(workerId);
      this.router.join(workerId, this.loads$);
    } else {
      this.members.delete(workerId);
      this.router.leave(workerId, this.loads$);
    }
  }
}

/** How often it is told what was dropped. */
const PROBLEM_INTERVAL_MS = 1_000;

/**
 * The pools of a fleet as they come and go.
 *
 * 1. A pool begins with the first worker that has a card of its model, under the marks of the rules, and ends with the
 *    last; so marks that were set are lost with the last worker, as in Dynamo.
 * 2. A pool that ends has heard of it before: its last workers leave, then it is gone.
 * 3. How the sources are, messages and keys that cannot be read, and loads of workers in no pool (once a second), are no
 *    pool's: `sources` tells them. A source that errors is told there too, and what it said stays.
 *
 * @see {@link liveFleet} for an example, {@link startService}
 */
export class FleetPools implements Pools {
  readonly changes$: Observable<PoolChange>;
  readonly sourceMonitor: LoadMonitor;
  readonly sourceCount: number;
  readonly accounting$?: Observable<AccountingReport>;
  private readonly pools = new Map<string, { readonly pool: FleetPool; readonly running: Subscription }>();
  private readonly failures$ = new Subject<FleetEvent>();
  private readonly changed$ = new Subject<PoolChange>();
  private readonly router: LoadRouter;

  constructor(
    private readonly fleet: Fleet,
    private readonly rules: PoolRules,
  ) {
    const { policy, scheduler } = rules;
    this.changes$ = this.changed$.asObservable();
    this.router = new LoadRouter(policy.unknownWorkers);
    const dropped$ = interval(PROBLEM_INTERVAL_MS, scheduler).pipe(
      mergeMap(() => this.router.takeProblems()),
    );
    const problems$ = merge(fleet.problems$, dropped$).pipe(
      map((problem): FleetEvent => ({ kind: 'problem', problem })),
    );
    this.sourceMonitor = loadMonitor(
      { events: merge(problems$, this.failures$), status: fleet.status },
      { policy, scheduler },
    );
    this.sourceCount = fleet.status.length;
    if (fleet.accounting$ !== undefined) this.accounting$ = fleet.accounting$;
  }

  list(): readonly Pool[] {
    return [...this.pools.values()].map(({ pool }) => pool);
  }

  run(): Subscription {
    const subscription = new Subscription();
    subscription.add(this.sourceMonitor.connect());
    // Behind the batch of keys that brings it about, which the monitors of the pools hear first.
    subscription.add(
      this.fleet.pools$.pipe(observeOn(asapScheduler)).subscribe({
        next: (names) => this.updatePools(names),
        error: (error: unknown) => this.reportFailure('instances', error),
      }),
    );
    subscription.add(
      this.fleet.loads$.subscribe({
        next: (load) => this.router.route(load),
        error: (error: unknown) => this.reportFailure('loads', error),
      }),
    );
    subscription.add(() => this.updatePools([]));
    return subscription;
  }

  /** A source's last word: what it said stays, and it is told as a problem. */
  private reportFailure(source: Problem['source'], error: unknown): void {
    const problem = fleetProblems.sourceError(source, `the source of ${source} failed: ${errorText(error)}`);
    this.failures$.next({ kind: 'problem', problem });
  }

  private updatePools(names: readonly PoolName[]): void {
    const wanted = new Map(names.map((name) => [poolPath(name), name]));
    for (const [path, { pool, running }] of this.pools) {
      if (wanted.has(path)) continue;
      this.pools.delete(path);
      running.unsubscribe();
      this.changed$.next({ pool, present: false });
    }
    for (const [path, name] of wanted) {
      if (this.pools.has(path)) continue;
      const pool = new FleetPool(name, this.fleet.pool(name), this.router, this.rules);
      this.pools.set(path, { pool, running: pool.run() });
      this.changed$.next({ pool, present: true });
    }
  }
}
