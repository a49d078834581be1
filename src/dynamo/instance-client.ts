// eslint-disable-next-line @typescript-eslint/triple-slash-reference -- the declarations name what `[Symbol.dispose]` needs
/// <reference lib="esnext.disposable" preserve="true" />
import { Observable, type SchedulerLike, type Subscription, asyncScheduler } from 'rxjs';
import type { FleetEvent } from '../core/events/fleet-event.js';
import type { InstanceChange } from '../core/pipeline/monitor-sources.js';
import type { Problem } from '../core/sources/problem.js';
import type { WorkerId } from '../core/worker-id.js';
import { type ClientPolicy, clientPolicies } from './client-policy.js';
import { DEFAULT_INHIBITED_MS, validateInhibitedMs } from './inhibited-duration.js';
import { InstanceClientRun } from './instance-client-run.js';
import type { RoutingSnapshot } from './routing-sets.js';

/** The options of {@link instanceClient}. */
export interface InstanceClientOptions {
  /** The rules; `clientPolicies.default` when absent. */
  readonly policy?: ClientPolicy;
  /**
   * The time in milliseconds, without a change of the instances, after which workers that were reported down are routable
   * again; 5000 when absent. `0` turns this off, and down reports too.
   */
  readonly inhibitedDurationMs?: number;
  /** The source of time; `asyncScheduler` when absent. */
  readonly scheduler?: SchedulerLike;
}

/** The sets of one endpoint that a router chooses from. See {@link instanceClient}. */
export interface InstanceClient {
  readonly policy: ClientPolicy;
  /** The workers that discovery knows. */
  readonly discovered$: Observable<ReadonlySet<WorkerId>>;
  /** The discovered workers that were not reported down. */
  readonly available$: Observable<ReadonlySet<WorkerId>>;
  /** The workers that may receive requests. */
  readonly free$: Observable<ReadonlySet<WorkerId>>;
  /** The overloaded workers. */
  readonly overloaded$: Observable<ReadonlySet<WorkerId>>;
  /** The instances for a monitor: first the present ones, then each change. Completes with the discovery. */
  readonly watch$: Observable<InstanceChange>;
  /** The `events` for a monitor: overload marks, workers reported down, and workers that are available again. */
  readonly events$: Observable<FleetEvent>;
  readonly problems$: Observable<Problem>;
  /** All sets and their sizes at this moment. */
  snapshot(): RoutingSnapshot;
  /** Reports that the request path could not reach a worker. It is unavailable until the next reconcile. */
  reportDown(workerId: WorkerId): void;
  /** Sets an overload mark on a worker that refused a request. It lasts a second, or until the next publication. */
  markOverloaded(workerId: WorkerId): void;
  /** Replaces the overloaded workers, and ends all overload marks. Returns whether the overloaded workers changed. */
  setOverloaded(workerIds: Iterable<WorkerId>): boolean;
  /** Removes workers that left from the overloaded ones. */
  clearOverloadedForRemoved(workerIds: Iterable<WorkerId>): void;
  /** Whether an overload mark is waiting for a publication. */
  overloadReconciliationNeeded(): boolean;
  /** Subscribes to the instances, unless that is done already, and returns the subscription. */
  connect(): Subscription;
  /** Ends the run: outputs complete, and the state is discarded. */
  stop(): void;
  [Symbol.dispose](): void;
}

/**
 * Maintains the four sets that a router chooses from: discovered, available, overloaded and free workers.
 *
 * 1. It is connected by `connect()`, which is idempotent. After `stop()` it can be connected again, with empty state. Calls
 *    before `connect()` take effect.
 * 2. `discovered$`, `available$`, `free$` and `overloaded$` emit the current set first, then each different set. They complete
 *    on `stop()`.
 * 3. A worker that was reported down is available again with the next change of the instances, or after
 *    `inhibitedDurationMs` without one.
 * 4. An overload mark ends after its time, at the next `setOverloaded`, or when the worker leaves. Marking the worker again
 *    restarts the time. It ends by itself, without a call.
 * 5. An overloaded worker stays overloaded until other workers are published, or until it leaves; a worker that was never
 *    discovered does not leave. Up to 1.1, every reconcile ends it, including the one in `connect()` and the periodic one; see
 *    {@link clientPolicies}.
 * 6. When the instances complete or error, the last ones are kept. An error is reported as a problem.
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
 * @throws InhibitedDurationError for an invalid duration.
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
  /** An output of the run that is current at the time of the subscription. */
  const output = <T>(select: (run: InstanceClientRun) => Observable<T>): Observable<T> =>
    new Observable((subscriber) => select(run).subscribe(subscriber));
  const stop = (): void => run.stop();

  return {
    policy,
    discovered$: output((current) => current.observeSet(({ discovered }) => discovered)),
    available$: output((current) => current.observeSet(({ available }) => available)),
    free$: output((current) => current.observeSet(({ free }) => free)),
    overloaded$: output((current) => current.observeSet(({ overloaded }) => overloaded)),
    watch$: output((current) => current.watch$),
    events$: output((current) => current.events$),
    problems$: output((current) => current.problems$),
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
