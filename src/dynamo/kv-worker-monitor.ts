// eslint-disable-next-line @typescript-eslint/triple-slash-reference -- the declarations name what `[Symbol.dispose]` needs
/// <reference lib="esnext.disposable" preserve="true" />
import { distinctUntilChanged, EMPTY, isObservable, map, merge, switchMap, type Observable } from 'rxjs';
import type { Count } from '../core/count.js';
import type { Explanation } from '../core/judgement/explanation.js';
import type { LoadMonitor, MonitorSnapshot } from '../core/pipeline/load-monitor.js';
import type { LoadThresholdConfig } from '../core/policy/load-threshold-config.js';
import type { LoadThresholdUpdate } from '../core/policy/load-thresholds.js';
import { policies } from '../core/policy/policies.js';
import type { Problem } from '../core/sources/problem.js';
import type { BusySet } from '../core/state/busy-set.js';
import type { Cleanup } from '../core/state/cleanup.js';
import type { Transition } from '../core/state/fleet-step.js';
import type { WorkerId } from '../core/worker-id.js';
import type { KvMonitorOptions, KvMonitorSources, PrefillClient } from './kv-monitor-options.js';
import { MonitorLoop } from './monitor-loop.js';

/**
 * Dynamo's worker monitor with its own name and methods: a `loadMonitor` that is started, stopped and configured by calls,
 * and that notifies an instance client of the overloaded workers.
 *
 * 1. `startMonitoring()` starts the monitor before it returns, unless `configs` is a function, which is called first. While
 *    the monitor runs, it does nothing. It rejects with a ConfigsUnavailableError if the configs are not available, and can
 *    then be called again. It resolves if the monitor is stopped meanwhile.
 * 2. If the configs error later, but before their first value, the run ends too, with a problem.
 * 3. A run ends with `stopMonitoring()`, or as the policy says. Then `startMonitoring()` starts a new run with empty state,
 *    with the thresholds and the prefill client that were set. Dynamo 1.0 could not be started twice.
 * 4. The client, and the prefill client if its policy says so, receives each different set of busy workers before all other
 *    subscribers. Both are connected when needed, and stay connected: their creator stops them. When a run ends, a client
 *    keeps its last set. The next run starts by publishing an empty set.
 * 5. Thresholds can be read and set at any time. Only the given ones change. If the policy refuses one, an error is thrown and
 *    nothing changes.
 * 6. `clone()` returns another handle to the same monitor.
 * 7. The streams outlive the runs, and never complete or error. `busy$` and `running$` emit the current value first.
 *
 * @example
 * ```ts
 * import { of, Subject } from 'rxjs';
 * import { workerId, type ActiveLoad } from 'tidemark';
 * import { instanceClient, KvWorkerMonitor } from 'tidemark/dynamo';
 *
 * const [one, two] = [workerId('1'), workerId('2')];
 * const instances$ = new Subject<(typeof one)[]>();
 * const client = instanceClient(instances$);
 * const loads$ = new Subject<ActiveLoad>();
 * const configs$ = of(new Map([one, two].map((id) => [id, { totalKvBlocks: 100 }])));
 *
 * const monitor = new KvWorkerMonitor(
 *   { configs: configs$, loads: loads$, client },
 *   { activeDecodeBlocksThreshold: 0.9 },
 * );
 * await monitor.startMonitoring();
 * instances$.next([one, two]);
 * loads$.next({ workerId: two, dpRank: 0, activeDecodeBlocks: null, activePrefillTokens: null, kvUsedBlocks: 95 });
 * console.log([...client.snapshot().free]);
 * // Logs: [ '1' ]
 * monitor.activeDecodeBlocksThreshold = 0.95;
 * console.log([...client.snapshot().free]);
 * // Logs: [ '1', '2' ]
 * monitor.stopMonitoring();
 * client.stop();
 * ```
 *
 * @see {@link instanceClient}
 */
export class KvWorkerMonitor {
  /** The busy workers. */
  readonly busy$: Observable<BusySet>;
  /** Workers that become busy or free. */
  readonly transitions$: Observable<Transition>;
  /** Metric series to remove, for `performCleanup`. */
  readonly cleanups$: Observable<Cleanup>;
  /** The problems of the monitor, its sources and its clients. */
  readonly problems$: Observable<Problem>;
  /** Whether the monitor runs. */
  readonly running$: Observable<boolean>;
  private readonly loop: MonitorLoop;

  /** @throws ThresholdError for thresholds that the policy refuses. */
  constructor(sources: KvMonitorSources, thresholds?: LoadThresholdUpdate, options?: KvMonitorOptions);
  /** Another handle to the same loop. */
  constructor(loop: MonitorLoop);
  constructor(
    from: KvMonitorSources | MonitorLoop,
    thresholds: LoadThresholdUpdate = {},
    options: KvMonitorOptions = {},
  ) {
    const { policy = policies.default } = options;
    const loop = from instanceof MonitorLoop ? from : new MonitorLoop(from, policy, options);
    if (loop !== from) loop.thresholds.set(thresholds);
    const output = <T>(select: (run: LoadMonitor) => Observable<T>): Observable<T> =>
      loop.runs$.pipe(switchMap((run) => (run === undefined ? EMPTY : select(run))));
    this.loop = loop;
    this.busy$ = output(({ busy$ }) => busy$);
    this.transitions$ = output(({ transitions$ }) => transitions$);
    this.cleanups$ = output(({ cleanups$ }) => cleanups$);
    this.problems$ = merge(
      loop.failures$,
      output(({ problems$ }) => problems$),
      loop.sources.client?.problems$ ?? EMPTY,
      loop.prefillClients$.pipe(
        switchMap((prefill) => (prefill === undefined || isObservable(prefill) ? EMPTY : prefill.problems$)),
      ),
    );
    this.running$ = loop.runs$.pipe(
      map((run) => run !== undefined),
      distinctUntilChanged(),
    );
  }

  /** Starts the monitor, unless it runs. Rejects with a ConfigsUnavailableError if the configs are not available. */
  startMonitoring(): Promise<void> {
    return this.loop.start();
  }

  /** Ends the current run or start. */
  stopMonitoring(): void {
    this.loop.stop();
  }

  /** Also watches prefill workers, now or from the next start. The policy decides what a second call does. */
  setPrefillClient(prefill: PrefillClient): void {
    this.loop.setPrefill(prefill);
  }

  /** The thresholds in force. */
  loadThresholdConfig(): LoadThresholdConfig {
    return this.loop.thresholds.config;
  }

  /** Changes the given thresholds. @throws ThresholdError for thresholds that the policy refuses. */
  setLoadThresholdConfig(change: LoadThresholdUpdate): void {
    this.loop.thresholds.set(change);
  }

  get activeDecodeBlocksThreshold(): number | null {
    return this.loop.thresholds.config.activeDecodeBlocksThreshold;
  }

  set activeDecodeBlocksThreshold(threshold: number | null) {
    this.loop.thresholds.set({ activeDecodeBlocksThreshold: threshold });
  }

  get activePrefillTokensThreshold(): Count | null {
    return this.loop.thresholds.config.activePrefillTokensThreshold;
  }

  set activePrefillTokensThreshold(threshold: Count | null) {
    this.loop.thresholds.set({ activePrefillTokensThreshold: threshold });
  }

  get activePrefillTokensThresholdFrac(): number | null {
    return this.loop.thresholds.config.activePrefillTokensThresholdFrac;
  }

  set activePrefillTokensThresholdFrac(threshold: number | null) {
    this.loop.thresholds.set({ activePrefillTokensThresholdFrac: threshold });
  }

  /** The current state; `undefined` while the monitor does not run. */
  snapshot(): MonitorSnapshot | undefined {
    return this.loop.run?.snapshot();
  }

  /** Explains why a worker is busy or free now; `undefined` for an unknown worker, or while the monitor does not run. */
  explain(workerId: WorkerId): Explanation | undefined {
    return this.loop.run?.explain(workerId);
  }

  /** Returns another handle to the same monitor. */
  clone(): KvWorkerMonitor {
    return new KvWorkerMonitor(this.loop);
  }

  [Symbol.dispose](): void {
    this.stopMonitoring();
  }
}
