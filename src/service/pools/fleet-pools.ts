import {
  asapScheduler,
  interval,
  map,
  merge,
  mergeMap,
  observeOn,
  Subject,
  Subscription,
  type Observable,
} from 'rxjs';
import type { LoadReport } from '../../adapters/nats/load-report.js';
import type { FleetEvent } from '../../core/fleet-event.js';
import { loadMonitor, type LoadMonitor } from '../../core/load-monitor/load-monitor.js';
import { fleetProblems } from '../../core/fleet-problems.js';
import type { PoolName } from '../../core/pool-name.js';
import type { Problem } from '../../core/problem.js';
import { errorText } from '../../operators/error-text.js';
import { poolPath } from '../../wire/pool-path.js';
import { FleetPool, type PoolRules } from './fleet-pool.js';
import type { FleetSource } from './fleet-source.js';
import { LoadRouter } from './load-router.js';
import type { Pool } from './pool.js';
import type { PoolChange, Pools } from './pools.js';

/** How often it is told what was dropped. */
const TELL_MS = 1_000;

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
  readonly sources: LoadMonitor;
  readonly sourceCount: number;
  readonly accounting$?: Observable<LoadReport>;
  private readonly pools = new Map<string, { readonly pool: FleetPool; readonly running: Subscription }>();
  private readonly problem$ = new Subject<FleetEvent>();
  private readonly changed$ = new Subject<PoolChange>();
  private readonly router: LoadRouter;

  constructor(
    private readonly fleet: FleetSource,
    private readonly rules: PoolRules,
  ) {
    const { policy, scheduler } = rules;
    this.changes$ = this.changed$.asObservable();
    this.router = new LoadRouter(policy.unknownWorkers);
    const dropped$ = interval(TELL_MS, scheduler).pipe(mergeMap(() => this.router.takeProblems()));
    const problems$ = merge(fleet.problems$, dropped$).pipe(
      map((problem): FleetEvent => ({ kind: 'problem', problem })),
    );
    this.sources = loadMonitor(
      { events: merge(problems$, this.problem$), status: fleet.status },
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
    subscription.add(this.sources.connect());
    // Behind the batch of keys that brings it about, which the monitors of the pools hear first.
    subscription.add(
      this.fleet.pools$.pipe(observeOn(asapScheduler)).subscribe({
        next: (names) => this.replace(names),
        error: (error: unknown) => this.failed('instances', error),
      }),
    );
    subscription.add(
      this.fleet.loads$.subscribe({
        next: (load) => this.router.route(load),
        error: (error: unknown) => this.failed('loads', error),
      }),
    );
    subscription.add(() => this.replace([]));
    return subscription;
  }

  /** A source's last word: what it said stays, and it is told as a problem. */
  private failed(source: Problem['source'], error: unknown): void {
    const problem = fleetProblems.sourceError(source, `the source of ${source} failed: ${errorText(error)}`);
    this.problem$.next({ kind: 'problem', problem });
  }

  private replace(names: readonly PoolName[]): void {
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
