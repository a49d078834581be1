import { asyncScheduler, defer, type Observable, type Subscription } from 'rxjs';
import { trampoline } from '../../operators/trampoline.js';
import type { Explanation } from '../judgement/explanation.js';
import type { FleetCounts } from '../judgement/fleet-state.js';
import type { LoadThresholdConfig } from '../policy/load-threshold-config.js';
import type { Problem } from '../sources/problem.js';
import type { SourceStatus } from '../sources/source-status.js';
import type { BusySet } from '../state/busy-set.js';
import type { Cleanup } from '../state/cleanup.js';
import type { FleetRanks } from '../state/fleet-ranks.js';
import type { FleetStep, Transition } from '../state/fleet-step.js';
import type { WorkerId } from '../worker-id.js';
import { MonitorRun, type MonitorOutputValues, monitorOutputs } from './monitor-run.js';
import type { MonitorOptions, MonitorSources } from './monitor-sources.js';

/** The present state of a run, as it was last handed out. */
export interface MonitorSnapshot {
  readonly busy: BusySet;
  readonly fleet: FleetCounts;
  readonly thresholds: LoadThresholdConfig;
  readonly status: readonly SourceStatus[];
}

/** A monitor of one pool. See {@link loadMonitor}. */
export interface LoadMonitor {
  readonly steps$: Observable<FleetStep>;
  readonly busy$: Observable<BusySet>;
  readonly transitions$: Observable<Transition>;
  readonly fleet$: Observable<FleetCounts>;
  readonly cleanups$: Observable<Cleanup>;
  readonly problems$: Observable<Problem>;
  readonly status$: Observable<readonly SourceStatus[]>;
  /** Starts the run that all outputs share, if none is under way, and returns its subscription. */
  connect(): Subscription;
  /** Ends the run. Nothing happens without one. */
  stop(): void;
  /** The present state, or `undefined` without a run. */
  snapshot(): MonitorSnapshot | undefined;
  /** Why a worker is busy or free now; `undefined` without a run and for a worker of which nothing is known. */
  explain(workerId: WorkerId): Explanation | undefined;
  /** Every worker that is there with its ranks, as they are now: a copy to be read at leisure; `undefined` without a run. */
  ranks(): FleetRanks | undefined;
  [Symbol.dispose](): void;
}

/**
 * Merges what sources tell of one pool of workers into a load state, and tells who is busy, why, and since when.
 *
 * 1. Building connects nothing. `connect()` starts one run, which all outputs share; attach sinks before it, as a
 *    synchronous source speaks at once. It is idempotent.
 * 2. For each event the state is changed first; then `steps$`, `busy$`, `transitions$`, `fleet$`, `cleanups$` and
 *    `problems$` emit, synchronously and in this order, whatever the order of subscription. An event that a
 *    subscriber causes meanwhile waits for all of them.
 * 3. `busy$` emits only when the set of ids differs. `busy$`, `fleet$` and `status$` give a late subscriber the
 *    present value first; the others only what comes.
 * 4. Outputs never error. A source that errors or ends becomes a status and a problem, and what it last said
 *    stays; the end of `thresholds`, `events` and the outer prefill stream is neither.
 * 5. Outputs complete when every source has completed, when a source ended whose policy cell says that it ends the
 *    monitor, on `stop()`, on abort, on dispose, and when the run's subscription is unsubscribed.
 * 6. After an end it can be connected again, from empty. Who subscribes meanwhile waits for that.
 * 7. Marks of the request path end by the monitor's timer, as an event of their own.
 *
 * | source | next | error | end |
 * |---|---|---|---|
 * | `loads` | judged | problem `source-error`, then as its end | problem and status; the policy's `loadsEnded` |
 * | `configs` | cards | problem `source-error`, then as its end | problem and status; the policy's `configsEnded` |
 * | `decodeInstances` | instances | problem `source-error`, then as its end | problem and status; the policy's `instancesEnded` |
 * | `prefillInstances`, outer | a watch | problem `source-error` | nothing |
 * | `prefillInstances`, inner | instances | problem `source-error`, then as its end | its last set stays |
 * | `thresholds` | marks, checked | problem `source-error` | nothing |
 * | `events` | as it says | problem `source-error` | nothing |
 *
 * | on | `busy$`, `fleet$`, `status$` | `steps$`, `transitions$`, `cleanups$`, `problems$` |
 * |---|---|---|
 * | unsubscribe | the run goes on | the run goes on |
 * | late subscription | the present value, then what comes | what comes |
 * | stop | complete | the policy's cleanup, then complete |
 * | reconnection | begin again, from empty | begin again |
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { loadMonitor, policies, workerId } from 'tidemark';
 *
 * const load = { workerId: workerId('7'), dpRank: 0, activeDecodeBlocks: null, kvUsedBlocks: null };
 * const monitor = loadMonitor(
 *   {
 *     thresholds: of({ activePrefillTokensThreshold: 10 }),
 *     loads: of({ ...load, activePrefillTokens: 11 }, { ...load, activePrefillTokens: 10 }),
 *   },
 *   { policy: policies.default },
 * );
 * monitor.transitions$.subscribe(({ verdict }) => console.log(verdict.text));
 * monitor.connect();
 * // Logs: worker 7 is busy: rank 0 prefill tokens 11 > 10 (1 of 1 ranks busy, 1 needed)
 * // Logs: worker 7 is free: rank 0 prefill tokens 10 ≤ 10 (0 of 1 ranks busy, 1 needed)
 * ```
 *
 * @see {@link reduceFleet}, {@link performCleanup}
 */
export function loadMonitor(sources: MonitorSources, options: MonitorOptions): LoadMonitor {
  const scheduler = options.scheduler ?? asyncScheduler;
  let outputs = monitorOutputs();
  let run: MonitorRun | undefined;

  const stop = (): void => run?.stop();
  const ended = (): void => {
    options.signal?.removeEventListener('abort', stop);
    run = undefined;
    outputs = monitorOutputs();
  };
  const connect = (): Subscription => {
    if (run !== undefined) return run.subscription;
    const started = new MonitorRun(sources, options, scheduler, outputs, ended);
    run = started;
    options.signal?.addEventListener('abort', stop, { once: true });
    started.connect();
    if (options.signal?.aborted === true) stop();
    return started.subscription;
  };
  const output$ = <Name extends keyof MonitorOutputValues>(
    name: Name,
  ): Observable<MonitorOutputValues[Name]> =>
    defer(() => {
      const values$ = outputs.output$(name);
      // What a subscriber causes while it is given the kept value waits, so that it is emitted after that value.
      return outputs.last(name) === undefined ? values$ : values$.pipe(trampoline());
    });

  return {
    steps$: output$('steps'),
    busy$: output$('busy'),
    transitions$: output$('transitions'),
    fleet$: output$('fleet'),
    cleanups$: output$('cleanups'),
    problems$: output$('problems'),
    status$: output$('status'),
    connect,
    stop,
    snapshot: () => {
      if (run === undefined) return undefined;
      const { busy, fleet, thresholds } = run.fleet;
      return { busy, fleet, thresholds, status: outputs.last('status') ?? [] };
    },
    explain: (workerId) => run?.fleet.explain(workerId),
    ranks: () => run?.fleet.ranks(),
    [Symbol.dispose]: stop,
  };
}
