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
import type { AccountingReport } from '../../dynamo/loads/load-receiver.js';
import type { ActiveLoad, FleetEvent } from '../../core/events/fleet-event.js';
import type { LoadBatch } from '../../core/events/load-batch.js';
import type { Count } from '../../core/count.js';
import type { LoadCheck } from '../../core/judgement/rank-checks.js';
import { type LoadMonitor, loadMonitor } from '../../core/pipeline/load-monitor.js';
import type { LoadPolicy } from '../../core/policy/load-policy.js';
import { checkThresholds } from '../../core/policy/load-threshold-config.js';
import {
  type LoadThresholdUpdate,
  type LoadThresholds,
  thresholdNames,
} from '../../core/policy/load-thresholds.js';
import type { Problem } from '../../core/sources/problem.js';
import type { FleetModel, ModelPool, PoolName } from '../../core/sources/worker-info.js';
import { fleetProblems } from '../../core/state/fleet-problems.js';
import type { WorkerId } from '../../core/worker-id.js';
import { errorText } from '../../operators/error-text.js';
import { poolPath } from '../../wire/endpoint-names.js';
import type { Fleet, PoolSources } from '../fleet.js';
import { ThresholdBook } from '../thresholds/threshold-book.js';
import { PoolThresholds } from '../thresholds/pool-thresholds.js';
import { AdapterCarriers } from './adapter-carriers.js';
import { LoadRouter, type LoadSink } from './load-router.js';
import type { Pool, PoolChange, Pools } from './pools.js';

/** The rules for all pools of a fleet. */
export interface PoolRules {
  readonly policy: LoadPolicy;
  /** The thresholds of a pool for which none were set. */
  readonly thresholds: LoadThresholdUpdate;
  readonly scheduler: SchedulerLike;
  /** The thresholds that were set, with the same policy and with `thresholds` as its base. Absent: an empty book. */
  readonly book?: ThresholdBook;
}

/** The thresholds of a monitor that is started with a change. */
function thresholdsAtStart(
  { defaultThresholds, nullThreshold }: LoadPolicy,
  change: LoadThresholdUpdate,
): LoadThresholds {
  const given = thresholdNames.filter(
    (name) => change[name] !== undefined && (change[name] !== null || nullThreshold === 'off'),
  );
  return { ...defaultThresholds, ...Object.fromEntries(given.map((name) => [name, change[name]])) };
}

/** The values that a monitor has of a worker, as one load of each rank. */
function lastLoads(monitor: LoadMonitor, workerId: WorkerId): ActiveLoad[] {
  const ranks = monitor.explain(workerId)?.ranks ?? [];
  return ranks.map(({ rank, checks }) => {
    const valueOf = (name: LoadCheck): Count | null =>
      checks.find(({ check }) => check === name)?.value ?? null;
    return {
      workerId,
      dpRank: rank,
      activeDecodeBlocks: valueOf('activeDecodeBlocks'),
      activePrefillTokens: valueOf('activePrefillTokens'),
      kvUsedBlocks: valueOf('kvUsedBlocks'),
    };
  });
}

/** One pool of a fleet: a monitor of its configs, its instances, and the loads of its members. */
export class FleetPool implements Pool {
  readonly monitor: LoadMonitor;
  private readonly members = new Set<WorkerId>();
  private readonly events$ = new Subject<FleetEvent>();
  private readonly loads$ = new Subject<ActiveLoad | LoadBatch>();
  private readonly sink: LoadSink = {
    next: (load) => this.loads$.next(load),
    lastLoads: (workerId) => lastLoads(this.monitor, workerId),
  };
  readonly thresholds: PoolThresholds;

  constructor(
    readonly name: PoolName,
    private readonly sources: PoolSources,
    private readonly router: LoadRouter,
    { policy, thresholds, scheduler }: PoolRules,
    book: ThresholdBook,
  ) {
    const initial = thresholdsAtStart(policy, thresholds);
    this.thresholds = new PoolThresholds(
      book,
      name,
      () => initial,
      (change, workerId) => this.setThresholds(change, workerId),
    );
    const { configs$, instances$ } = sources;
    const { role } = name;
    this.monitor = loadMonitor(
      { configs: configs$, decodeInstances: instances$, loads: this.loads$, events: this.events$ },
      { policy, scheduler, thresholds, ...(role !== undefined && { role }) },
    );
  }

  setThresholds(change: LoadThresholdUpdate, workerId?: WorkerId): void {
    const target = workerId === undefined ? {} : { target: { workerId } };
    this.events$.next({ kind: 'thresholds', ...change, ...target, checked: true, nullTurnsOff: true });
  }

  /** Receives the loads of the members while it is subscribed, and at once those that were held for them. */
  run(): Subscription {
    const subscription = this.sources.configs$.subscribe({
      next: (change) => {
        if ('workerId' in change) return this.put(change.workerId, change.config !== null);
        for (const workerId of [...this.members]) if (!change.has(workerId)) this.put(workerId, false);
        for (const workerId of change.keys()) this.put(workerId, true);
      },
      // The monitor reports the error; the members are kept.
      error: () => undefined,
    });
    subscription.add(() => {
      for (const workerId of [...this.members]) this.put(workerId, false);
    });
    return subscription;
  }

  private put(workerId: WorkerId, present: boolean): void {
    if (this.members.has(workerId) === present) return;
    if (present) {
      this.members.add(workerId);
      this.router.join(workerId, this.sink);
    } else {
      this.members.delete(workerId);
      this.router.leave(workerId, this.sink);
    }
  }
}

/** Whether a pool has a monitor: encode workers are only shown. */
function isJudged(pool: ModelPool): pool is PoolName {
  return pool.role !== 'encode';
}

/** How often dropped loads are reported. */
const PROBLEM_INTERVAL_MS = 1_000;

/**
 * The pools of a fleet, which appear and end with their workers.
 *
 * 1. A pool appears with the first worker that has a model card of its model, and ends with the last one.
 * 2. The thresholds of a pool and of its workers are those of the `book`. They outlive the pool and the worker, and apply
 *    again when it reappears.
 * 3. An adapter has pools of its own while an entry of the book names it as its model.
 * 4. Before a pool ends, its monitor has seen its last workers leave.
 * 5. `sourceMonitor` reports what belongs to no pool: the status of the sources, their errors, messages and keys that cannot
 *    be read, and loads of workers in no pool (once per second). After an error, the last values of a source are kept.
 *
 * @see {@link dynamoFleet}, and `startService` in `tidemark/service`
 */
export class FleetPools implements Pools {
  readonly changes$: Observable<PoolChange>;
  readonly modelsChanged$: Observable<unknown>;
  readonly sourceMonitor: LoadMonitor;
  readonly sourceCount: number;
  readonly accounting$: Observable<AccountingReport>;
  readonly book: ThresholdBook;
  private readonly pools = new Map<string, { readonly pool: FleetPool; readonly running: Subscription }>();
  private readonly failures$ = new Subject<FleetEvent>();
  private readonly changed$ = new Subject<PoolChange>();
  private readonly router: LoadRouter;
  isListed = false;
  private names: readonly PoolName[] = [];
  private named: readonly FleetModel[] = [];
  private readonly carriers = new AdapterCarriers();
  private readonly modelsChanges$ = new Subject<void>();

  /** @throws ThresholdError for thresholds that the policy refuses */
  constructor(
    private readonly fleet: Fleet,
    private readonly rules: PoolRules,
  ) {
    const { policy, scheduler, thresholds } = rules;
    checkThresholds(thresholds, policy);
    this.book =
      rules.book ?? new ThresholdBook({ policy, thresholds: thresholdsAtStart(policy, thresholds) });
    this.changes$ = this.changed$.asObservable();
    this.modelsChanged$ = this.modelsChanges$.asObservable();
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
    this.accounting$ = fleet.accounting$;
  }

  list(): readonly Pool[] {
    return [...this.pools.values()].map(({ pool }) => pool);
  }

  models(): readonly FleetModel[] {
    return this.named;
  }

  carriersOf(adapter: string): ReadonlySet<WorkerId> {
    return this.carriers.of(adapter);
  }

  report(problem: Problem): void {
    this.failures$.next({ kind: 'problem', problem });
  }

  run(): Subscription {
    const subscription = new Subscription();
    const follow = <T>(source$: Observable<T>, source: Problem['source'], next: (value: T) => void): void => {
      subscription.add(
        source$.subscribe({ next, error: (error: unknown) => this.reportFailure(source, error) }),
      );
    };
    subscription.add(this.sourceMonitor.connect());
    // Asynchronously, so that the monitors of the pools process the batch of keys first.
    follow(this.fleet.pools$.pipe(observeOn(asapScheduler)), 'instances', (names) => {
      this.names = names;
      this.updatePools();
    });
    follow(this.fleet.models$.pipe(observeOn(asapScheduler)), 'instances', (models) => {
      this.named = models;
      this.isListed = true;
      this.updatePools();
      this.modelsChanges$.next();
    });
    follow(this.fleet.workers$, 'instances', (change) => this.carriers.update(change));
    follow(this.book.changes$, 'thresholds', ({ target }) => {
      this.updatePools();
      for (const { pool } of this.pools.values()) pool.thresholds.apply(target);
    });
    follow(this.fleet.loads$, 'loads', (load) => this.router.route(load));
    subscription.add(() => {
      this.names = [];
      this.named = [];
      this.updatePools();
    });
    return subscription;
  }

  /** Reports the error of a source as a problem. Its last values are kept. */
  private reportFailure(source: Problem['source'], error: unknown): void {
    this.report(fleetProblems.sourceError(source, `the source of ${source} failed: ${errorText(error)}`));
  }

  private updatePools(): void {
    const adapters = this.named
      .filter(({ name, adapterOf }) => adapterOf !== null && this.book.hasModel(name))
      .flatMap(({ pools }) => pools.filter(isJudged));
    const wanted = new Map([...this.names, ...adapters].map((name) => [poolPath(name), name]));
    for (const [path, { pool, running }] of this.pools) {
      if (wanted.has(path)) continue;
      this.pools.delete(path);
      running.unsubscribe();
      this.changed$.next({ pool, present: false });
    }
    for (const [path, name] of wanted) {
      if (this.pools.has(path)) continue;
      const sources = this.fleet.pool({ ...name, role: name.role ?? 'decode' });
      const pool = new FleetPool(name, sources, this.router, this.rules, this.book);
      // The monitor knows its workers before the pool is announced, and is announced before it receives loads. So no
      // transition is lost to those who follow it.
      const running = new Subscription();
      running.add(pool.monitor.connect());
      pool.thresholds.applyAll();
      this.pools.set(path, { pool, running });
      this.changed$.next({ pool, present: true });
      running.add(pool.run());
    }
  }
}
