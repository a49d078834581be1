import { Observable, type SchedulerLike, type Subscription, asyncScheduler } from 'rxjs';
import type { FleetEvent } from '../core/events/fleet-event.js';
import type { InstanceChange } from '../core/pipeline/monitor-sources.js';
import type { Problem } from '../core/sources/problem.js';
import type { WorkerId } from '../core/worker-id.js';
import { type ClientPolicy, clientPolicies } from './client-policy.js';
import { DEFAULT_INHIBITED_MS, validateInhibitedMs } from './inhibited-duration.js';
import { InstanceClientRun } from './instance-client-run.js';
import type { RoutingSnapshot } from './routing-sets.js';

/** By which rules an instance client goes, and where its time comes from. */
export interface InstanceClientOptions {
  /** The rules; `clientPolicies.default` when absent. */
  readonly policy?: ClientPolicy;
  /**
   * After how many milliseconds without a change of the instances everybody who was reported down is routable again;
   * 5000 when absent. `0` turns that off, and reports with it.
   */
  readonly inhibitedDurationMs?: number;
  /** Where time comes from; `asyncScheduler` when absent. */
  readonly scheduler?: SchedulerLike;
}

/** The sets of one endpoint that a router chooses from. See {@link instanceClient}. */
export interface InstanceClient {
  readonly policy: ClientPolicy;
  readonly discovered$: Observable<ReadonlySet<WorkerId>>;
  readonly available$: Observable<ReadonlySet<WorkerId>>;
  readonly free$: Observable<ReadonlySet<WorkerId>>;
  readonly overloaded$: Observable<ReadonlySet<WorkerId>>;
  /** What a monitor takes as its instances: those there are first, then each change; ends with the discovery. */
  readonly watch$: Observable<InstanceChange>;
  /** What a monitor takes as its `events`: marks, workers reported down, and those that are back. */
  readonly events$: Observable<FleetEvent>;
  readonly problems$: Observable<Problem>;
  /** All sets and their sizes, as they are now. */
  snapshot(): RoutingSnapshot;
  /** The request path could not reach a worker: it is not available until the next reconcile. */
  reportDown(workerId: WorkerId): void;
  /** A worker refused a request as too many: it is overloaded for a second, or until the next publication. */
  markOverloaded(workerId: WorkerId): void;
  /** Replaces the overloaded workers, and ends all marks. Whether other workers are overloaded than before. */
  setOverloaded(workerIds: Iterable<WorkerId>): boolean;
  /** Forgets that workers were overloaded, because they left. */
  clearOverloadedForRemoved(workerIds: Iterable<WorkerId>): void;
  /** Whether a mark waits for a publication. */
  overloadReconciliationNeeded(): boolean;
  /** Starts to follow the instances, if that is not under way, and returns its subscription. */
  connect(): Subscription;
  /** Ends it: outputs complete, and everything is forgotten. */
  stop(): void;
  [Symbol.dispose](): void;
}

/**
 * Keeps the four sets that a router chooses from: who is discovered, who of them is available, who is overloaded, and
 * who is free.
 *
 * 1. Building connects nothing. `connect()` is idempotent; after `stop()` it can be connected again, from empty.
 *    What is said before `connect()` counts.
 * 2. `discovered$`, `available$`, `free$` and `overloaded$` give the present set first, then one whenever the set of
 *    ids differs. They complete on `stop()`.
 * 3. A worker that was reported down is available again with the next change of the instances, or after
 *    `inhibitedDurationMs` without one.
 * 4. A mark of the request path ends by time, at the next `setOverloaded`, and with the worker; marking again begins
 *    its time anew. Nobody has to look for it to end.
 * 5. An overloaded worker stays so until something else is published, or until it leaves. One that was never
 *    discovered has not left. Up to 1.1 the next reconcile ends it, that of `connect()` and the one after every
 *    `inhibitedDurationMs` included; see {@link clientPolicies}.
 * 6. When the instances end or fail, the last ones stay; a failure is a problem.
 *
 * ```
 *   instances$   a---------------------|    a: 1 2 3
 *   reportDown   ----2-------------------
 *   available$   a---b--------a----------   b: 1 3    inhibitedDurationMs: 13 columns
 * ```
 *
 * @example
 * ```ts
 * import { of, NEVER, concat } from 'rxjs';
 * import { workerId } from 'tidemark';
 * import { instanceClient } from 'tidemark/dynamo';
 *
 * const [one, two] = [workerId('1'), workerId('2')];
 * const client = instanceClient(concat(of([one, two]), NEVER));
 * client.connect();
 * client.free$.subscribe((ids) => console.log([...ids]));
 * // Logs: [ '1', '2' ]
 * console.log(client.setOverloaded([two]), client.snapshot().counts.overloaded);
 * // Logs: [ '1' ]
 * // Logs: true 1
 * client.reportDown(one);
 * // Logs: []
 * client.stop();
 * ```
 *
 * @throws InhibitedDurationError for a duration that cannot be waited for.
 * @see {@link clientPolicies}, {@link KvWorkerMonitor}
 */
export function instanceClient(
  instances$: Observable<InstanceChange>,
  options: InstanceClientOptions = {},
): InstanceClient {
  const { policy = clientPolicies.default, scheduler = asyncScheduler } = options;
  const inhibitedMs = validateInhibitedMs(options.inhibitedDurationMs ?? DEFAULT_INHIBITED_MS);
  const newRun = (): InstanceClientRun =>
    new InstanceClientRun(instances$, policy, inhibitedMs, scheduler, () => {
      run = newRun();
    });
  let run = newRun();
  /** An output of the run that is under way, or of the next one, when it is subscribed to. */
  const output = <T>(of: (run: InstanceClientRun) => Observable<T>): Observable<T> =>
    new Observable((subscriber) => of(run).subscribe(subscriber));
  const stop = (): void => run.stop();

  return {
    policy,
    discovered$: output((now) => now.observeSet(({ discovered }) => discovered)),
    available$: output((now) => now.observeSet(({ available }) => available)),
    free$: output((now) => now.observeSet(({ free }) => free)),
    overloaded$: output((now) => now.observeSet(({ overloaded }) => overloaded)),
    watch$: output((now) => now.watch$),
    events$: output((now) => now.events$),
    problems$: output((now) => now.problems$),
    snapshot: () => run.snapshot(),
    reportDown: (workerId) => run.reportDown(workerId),
    markOverloaded: (workerId) => run.markOverloaded(workerId),
    setOverloaded: (workerIds) => run.setOverloaded(workerIds),
    clearOverloadedForRemoved: (workerIds) => run.forget(workerIds),
    overloadReconciliationNeeded: () => run.isReconciliationNeeded(),
    connect: () => run.connect(),
    stop,
    [Symbol.dispose]: stop,
  };
}
