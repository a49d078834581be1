// eslint-disable-next-line @typescript-eslint/triple-slash-reference -- the declarations name what `[Symbol.dispose]` needs
/// <reference lib="esnext.disposable" preserve="true" />
import {
  EMPTY,
  type Observable,
  Subject,
  Subscription,
  asyncScheduler,
  catchError,
  defer,
  distinctUntilChanged,
  filter,
  identity,
  map,
  merge,
  of,
  pipe,
  scan,
} from 'rxjs';
import { errorText } from '../../operators/error-text.js';
import type { FleetEvent } from '../events/fleet-event.js';
import type { Explanation } from '../judgement/explanation.js';
import type { FleetCounts } from '../judgement/fleet-state.js';
import type { WorkerState } from '../judgement/worker-state.js';
import { type LoadThresholdConfig, checkThresholds } from '../policy/load-threshold-config.js';
import { policies } from '../policy/policies.js';
import type { Problem, ProblemCode } from '../sources/problem.js';
import { type OrderedStatus, type SourceStatus, withStatus } from '../sources/source-status.js';
import { type BusySet, snapshotOf } from '../state/busy-set.js';
import type { Cleanup } from '../state/cleanup.js';
import type { FleetLoad } from '../state/fleet-load.js';
import type { FleetRanks } from '../state/fleet-ranks.js';
import type { FleetStep, Transition } from '../state/fleet-step.js';
import type { WorkerId } from '../worker-id.js';
import { type FleetInput, type FoldedFleet, foldFleet, isStep } from './fold-fleet.js';
import { instanceEvents, prefillEvents } from './instance-events.js';
import { type MonitorOptions, type MonitorSources, requireMonitorOptions } from './monitor-sources.js';
import { Outputs } from './outputs.js';
import { busySets, cleanups, problems, transitions } from './selections.js';
import { unknownWarnings } from './unknown-warnings.js';
import { configEvents, loadEvents, otherEvents, thresholdEvents } from './source-events.js';

/** The current state of a run, as its outputs last emitted it. */
export interface MonitorSnapshot {
  readonly busy: BusySet;
  readonly fleet: FleetCounts;
  readonly thresholds: LoadThresholdConfig;
  readonly status: readonly SourceStatus[];
}

/** A monitor of one pool. See {@link loadMonitor}. */
export interface LoadMonitor {
  /** The first step, with the initial, empty busy set; then what each event changed. An event that changed nothing emits nothing. */
  readonly steps$: Observable<FleetStep>;
  /** The busy set: the current one on subscription, then each one whose ids differ from the one before. */
  readonly busy$: Observable<BusySet>;
  /** Each change of the state of a worker, with its verdict. Those of one event are in ascending order of ids. */
  readonly transitions$: Observable<Transition>;
  /** The workers in numbers: the current counts on subscription, then each change of them. */
  readonly fleet$: Observable<FleetCounts>;
  /** The metric series to remove for workers and ranks that left. Pass them to {@link performCleanup}. */
  readonly cleanups$: Observable<Cleanup>;
  /** Recoverable problems: refused thresholds, loads of unknown workers, sources that failed or ended, and others. */
  readonly problems$: Observable<Problem>;
  /** The last status of every source that has one: the current list on subscription, then each change of it. */
  readonly status$: Observable<readonly SourceStatus[]>;
  /** Starts the run that all outputs share, unless one is active, and returns its subscription. */
  connect(): Subscription;
  /** Ends the run, if there is one. */
  stop(): void;
  /** The current state; `undefined` without a run. */
  snapshot(): MonitorSnapshot | undefined;
  /**
   * The state of a worker, at a cost that does not depend on the pool; `undefined` without a run, and for a worker of which
   * nothing is known.
   */
  stateOf(workerId: WorkerId): WorkerState | undefined;
  /**
   * The workers that a router may choose: those of the given ids that are not busy, in the same order. Unknown workers are
   * routable. Without a run it fails open: every id is routable.
   */
  routable(workerIds: Iterable<WorkerId>): WorkerId[];
  /** Why a worker has its state now; `undefined` without a run, and for a worker of which nothing is known. */
  explain(workerId: WorkerId): Explanation | undefined;
  /** A copy of every present worker and its ranks as they are now; `undefined` without a run. */
  ranks(): FleetRanks | undefined;
  /**
   * The current time of the monitor's clock, in milliseconds. Its origin is that of the scheduler in the options: the Unix
   * epoch for `asyncScheduler`. Every time in the state and the outputs (`at`, `since`) is a time of this clock, so an age
   * is the difference from `now()`, and the wall-clock time of a moment is `Date.now() - (now() - at)`.
   *
   * The clock of `asyncScheduler` is the wall clock, so setting the wall clock changes the ages of earlier moments. With
   * `monotonicScheduler` of `tidemark/clock`, ages and dates stay right.
   */
  now(): number;
  /** The same as `stop`, for `using`. */
  [Symbol.dispose](): void;
}

/**
 * Merges the sources of one pool of workers into a load state, and emits which workers are busy, why, and since when.
 *
 * 1. Building a monitor connects nothing. `connect()` starts one run, which all outputs share; while it is active,
 *    `connect()` has no further effect. Attach sinks before you connect, since a synchronous source emits at once.
 * 2. For each event the state changes first. Then `steps$`, `busy$`, `transitions$`, `fleet$`, `cleanups$`,
 *    `problems$` and `status$` emit, synchronously and in this order, regardless of the order of subscription. An event that
 *    a subscriber causes waits until all of them have emitted.
 * 3. The first step is emitted on connection, with the initial, empty busy set. `busy$` emits only when the set of ids
 *    differs. `busy$`, `fleet$` and `status$` give a late subscriber the current value first, and that busy set is marked
 *    with `isSnapshot`; the other outputs give it only later values.
 * 4. Outputs never error. A source that errors or ends becomes a status and a problem, and its last value is kept. The
 *    end of `thresholds`, of `events` and of the outer stream of prefill watches is neither.
 * 5. Outputs complete when every source has completed, when a source ends that ends the monitor under the policy, on
 *    `stop()`, on abort, on dispose, and when the subscription of the run is unsubscribed.
 * 6. After that the monitor can be connected again, and starts from empty. A subscriber that comes in between waits for
 *    the next run.
 * 7. A timer of the monitor ends overload marks, as an event.
 *
 * | source | next | error | end |
 * |---|---|---|---|
 * | `loads` | judged | problem `source-error`, then as for its end | problem and status; the policy's `loadsEnded` |
 * | `configs` | configs | problem `source-error`, then as for its end | problem and status; the policy's `configsEnded` |
 * | `decodeInstances` | instances | problem `source-error`, then as for its end | problem and status; the policy's `instancesEnded` |
 * | `prefillInstances`, outer | a watch | problem `source-error` | nothing |
 * | `prefillInstances`, inner | instances | problem `source-error`, then as for its end | its last set is kept |
 * | `thresholds` | thresholds, validated | problem `source-error` | nothing |
 * | `events` | the event itself | problem `source-error` | nothing |
 *
 * | on | `busy$`, `fleet$`, `status$` | `steps$`, `transitions$`, `cleanups$`, `problems$` |
 * |---|---|---|
 * | unsubscribe | the run continues | the run continues |
 * | late subscription | the current value, then later values | later values |
 * | stop | complete | the policy's cleanup, then complete |
 * | reconnection | start again, from empty | start again |
 *
 * @throws ThresholdError for thresholds that the policy refuses, TidemarkError with the code `monitor-options` for other
 *   options and sources that cannot be intended; both when it is called
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { loadMonitor, workerId } from 'tidemark';
 *
 * const load = { workerId: workerId('7'), dpRank: 0, activeDecodeBlocks: null, kvUsedBlocks: null };
 * const monitor = loadMonitor({
 *   thresholds: of({ activePrefillTokensThreshold: 10 }),
 *   loads: of({ ...load, activePrefillTokens: 11 }, { ...load, activePrefillTokens: 10 }),
 * });
 * monitor.transitions$.subscribe(({ verdict }) => console.log(verdict.text));
 * monitor.connect();
 * // Logs: worker 7 is busy: rank 0 prefill tokens 11 > 10 (1 of 1 ranks busy, 1 needed)
 * // Logs: worker 7 is free: rank 0 prefill tokens 10 ≤ 10 (0 of 1 ranks busy, 1 needed)
 * ```
 *
 * @see {@link reduceFleet}, {@link performCleanup}
 */
export function loadMonitor(sources: MonitorSources, options: MonitorOptions = {}): LoadMonitor {
  requireMonitorOptions(sources, options);
  const { signal, role, policy = policies.default, thresholds = {}, scheduler = asyncScheduler } = options;
  checkThresholds(thresholds, policy);
  const now = (): number => scheduler.now();
  const newOutputs = (): Outputs<MonitorEvent, MonitorValues> => monitorOutputs(sources, now);
  let outputs = newOutputs();
  let run: Run | undefined;

  // The pipeline: sources become events, which are folded into steps. What the sources say about themselves goes along.
  const folded = (run: Run, outputs: Outputs<MonitorEvent, MonitorValues>): Observable<FoldedFleet> =>
    sourceEvents(sources).pipe(
      foldFleet(
        policy,
        { thresholds, ...(role && { role }) },
        scheduler,
        merge(
          run.stop$,
          sourceStatuses(sources),
          outputs.select('fleet').pipe(unknownWarnings(() => run.fleet?.ranks(), scheduler)),
        ),
      ),
    );
  const stop = (): void => run?.stop$.next({ kind: 'stop' });
  const connect = (): Subscription => {
    if (run !== undefined) return run.subscription;
    const started: Run = { subscription: new Subscription(), stop$: new Subject(), fleet: undefined };
    const startedOutputs = outputs;
    let isEmitting = false;
    // A run that ends while its outputs emit ends after them, so that every subscriber sees the whole step.
    const end = (): void => {
      if (isEmitting || run !== started) return;
      signal?.removeEventListener('abort', stop);
      // A subscriber that connects again when the outputs complete starts a new run.
      run = undefined;
      outputs = newOutputs();
      startedOutputs.complete();
    };
    run = started;
    started.subscription.add(end);
    signal?.addEventListener('abort', stop, { once: true });
    started.subscription.add(
      folded(started, startedOutputs).subscribe({
        next: ({ fleet, made }) => {
          started.fleet = fleet;
          isEmitting = true;
          startedOutputs.next(made);
          isEmitting = false;
          if (started.subscription.closed) end();
        },
        complete: () => started.subscription.unsubscribe(),
        // The pipeline turns the errors of sources into problems, so this is a fault of tidemark, which RxJS reports.
        error: (error: unknown) => {
          started.subscription.unsubscribe();
          throw error;
        },
      }),
    );
    if (signal?.aborted === true) stop();
    return started.subscription;
  };
  const output = <Name extends keyof MonitorValues>(name: Name): Observable<MonitorValues[Name]> =>
    defer(() => outputs.select(name));

  return {
    steps$: output('steps'),
    busy$: output('busy'),
    transitions$: output('transitions'),
    fleet$: output('fleet'),
    cleanups$: output('cleanups'),
    problems$: output('problems'),
    status$: output('status'),
    connect,
    stop,
    snapshot: () => {
      if (run?.fleet === undefined) return undefined;
      const { busy, fleet, thresholds } = run.fleet;
      return { busy, fleet, thresholds, status: outputs.last('status') ?? [] };
    },
    stateOf: (workerId) => run?.fleet?.stateOf(workerId),
    routable: (workerIds) => [...workerIds].filter((id) => run?.fleet?.stateOf(id) !== 'busy'),
    explain: (workerId) => run?.fleet?.explain(workerId),
    ranks: () => run?.fleet?.ranks(),
    now,
    [Symbol.dispose]: stop,
  };
}

/** One run of a monitor. */
interface Run {
  readonly subscription: Subscription;
  readonly stop$: Subject<FleetEvent>;
  /** The state of the fold, for `snapshot`, `explain` and `ranks`. */
  fleet: FleetLoad | undefined;
}

/** What the outputs of a monitor emit. */
interface MonitorValues {
  readonly steps: FleetStep;
  readonly busy: BusySet;
  readonly transitions: Transition;
  readonly fleet: FleetCounts;
  readonly cleanups: Cleanup;
  readonly problems: Problem;
  readonly status: readonly SourceStatus[];
}

/** What happens in a run: a step, or what a source says about itself. */
type MonitorEvent = FoldedFleet['made'];

/** The outputs of one run, in the order in which they emit and complete. */
function monitorOutputs(sources: MonitorSources, now: () => number): Outputs<MonitorEvent, MonitorValues> {
  const steps = filter(isStep);
  return new Outputs<MonitorEvent, MonitorValues>({
    steps: { select: steps },
    busy: { select: pipe(steps, busySets()), onLateSubscription: snapshotOf },
    transitions: { select: pipe(steps, transitions()) },
    fleet: {
      select: pipe(
        steps,
        map(({ fleet }) => fleet),
        distinctUntilChanged(),
      ),
      onLateSubscription: identity,
    },
    cleanups: { select: pipe(steps, cleanups()) },
    problems: { select: pipe(steps, problems()) },
    status: {
      select: pipe(
        scan<MonitorEvent, readonly OrderedStatus[]>(
          (all, event) =>
            (isStep(event) ? endedSources(event, sources) : [event]).reduce(
              (list, status) => withStatus(list, status, now()),
              all,
            ),
          [],
        ),
        distinctUntilChanged(),
        map((all) => all.map(({ status }) => status)),
      ),
      onLateSubscription: identity,
    },
  });
}

/**
 * The events of all sources. Thresholds, instances and configs come before the loads, so that the loads of synchronous
 * sources find their workers known.
 */
export function sourceEvents(sources: MonitorSources): Observable<FleetInput> {
  const { thresholds, events, decodeInstances, configs, prefillInstances, loads } = sources;
  return merge(
    thresholds?.pipe(thresholdEvents()) ?? EMPTY,
    events?.pipe(otherEvents()) ?? EMPTY,
    decodeInstances?.pipe(instanceEvents('decode')) ?? EMPTY,
    configs?.pipe(configEvents()) ?? EMPTY,
    prefillInstances?.pipe(prefillEvents()) ?? EMPTY,
    loads?.pipe(loadEvents()) ?? EMPTY,
  );
}

/** What the sources say about themselves. The error of a status ends that status. */
function sourceStatuses({ status = [] }: MonitorSources): Observable<OrderedStatus> {
  const failed = (error: unknown): Observable<SourceStatus> =>
    of({ source: 'status', state: 'ended', since: 0, why: errorText(error) });
  return merge(
    ...status.map((status$, order) =>
      status$.pipe(
        catchError(failed),
        map((status) => ({ kind: 'status' as const, order, status })),
      ),
    ),
  );
}

/** The sources whose end is a problem, with their names in a status. They come after those that report a status. */
const sourcesOfProblems = [
  ['instances', 'decodeInstances'],
  ['configs', 'configs'],
  ['loads', 'loads'],
] as const satisfies readonly (readonly [Problem['source'], keyof MonitorSources])[];

const isEnd = (code: ProblemCode): boolean => code === 'source-ended' || code === 'source-stale';

/** The statuses of the sources that ended with a step. */
function endedSources(step: FleetStep, { status = [] }: MonitorSources): OrderedStatus[] {
  if (step.problems.length === 0) return [];
  return sourcesOfProblems.flatMap(([problemSource, source], index) =>
    step.problems.some(({ code, source }) => source === problemSource && isEnd(code))
      ? [
          {
            kind: 'status',
            order: status.length + index,
            status: { source, state: 'ended', since: 0, why: 'its last value is kept' },
          },
        ]
      : [],
  );
}
