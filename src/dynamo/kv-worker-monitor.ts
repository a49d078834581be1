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
 * Dynamo's worker monitor by its own name and with its own methods: a `loadMonitor` that is started, stopped and set
 * by calls, and that tells an instance client who is overloaded.
 *
 * 1. `startMonitoring()` begins before it returns, unless `configs` is a function, which is asked first. While the
 *    monitor runs it does nothing. It rejects with a ConfigsUnavailableError when the configurations cannot be had,
 *    and can then be called again. A start that is stopped meanwhile resolves.
 * 2. Configurations that fail later, but before their first value, end the run as well, with a problem.
 * 3. A run ends with `stopMonitoring()` and as the policy says. Afterwards, `startMonitoring()` begins anew, from
 *    empty, with the marks and the prefill client that were set; Dynamo 1.0 could not be started twice.
 * 4. The client, and the prefill client when its policy says so, is told of every other set of busy workers before
 *    anybody else. Both are connected when they are needed, and stay so: stopping them is for who made them. What a
 *    client was told last stays when a run ends, and the next run begins by telling it that nobody is busy.
 * 5. Marks can be read and set at any time. Only those that are given change; what the policy refuses is thrown, and
 *    nothing changes.
 * 6. `clone()` is another handle on the same monitor.
 * 7. The streams outlive the runs and never end or fail. `busy$` and `running$` give the present value first.
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
  readonly busy$: Observable<BusySet>;
  readonly transitions$: Observable<Transition>;
  /** Metric series to drop, for `performCleanup`. */
  readonly cleanups$: Observable<Cleanup>;
  /** What was wrong with the monitor, its sources and its clients. */
  readonly problems$: Observable<Problem>;
  readonly running$: Observable<boolean>;
  private readonly loop: MonitorLoop;

  /** @throws ThresholdError for marks that the policy refuses. */
  constructor(sources: KvMonitorSources, thresholds?: LoadThresholdUpdate, options?: KvMonitorOptions);
  /** Another handle on the same loop. */
  constructor(loop: MonitorLoop);
  constructor(
    from: KvMonitorSources | MonitorLoop,
    thresholds: LoadThresholdUpdate = {},
    options: KvMonitorOptions = {},
  ) {
    const { policy = policies.default } = options;
    const loop = from instanceof MonitorLoop ? from : new MonitorLoop(from, policy, options);
    if (loop !== from) loop.thresholds.set(thresholds);
    const output = <T>(of: (run: LoadMonitor) => Observable<T>): Observable<T> =>
      loop.runs$.pipe(switchMap((run) => (run === undefined ? EMPTY : of(run))));
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

  /** Starts the monitor, unless it runs. @throws ConfigsUnavailableError, as a rejection. */
  startMonitoring(): Promise<void> {
    return this.loop.start();
  }

  /** Ends the run, or the start, that is under way. */
  stopMonitoring(): void {
    this.loop.stop();
  }

  /** The prefill workers to watch as well, now or from the start on. What a second one does is the policy's to say. */
  setPrefillClient(prefill: PrefillClient): void {
    this.loop.setPrefill(prefill);
  }

  /** The marks in force. */
  loadThresholdConfig(): LoadThresholdConfig {
    return this.loop.thresholds.config;
  }

  /** Changes the marks that are given. @throws ThresholdError for those that the policy refuses. */
  setLoadThresholdConfig(change: LoadThresholdUpdate): void {
    this.loop.thresholds.set(change);
  }

  get activeDecodeBlocksThreshold(): number | null {
    return this.loop.thresholds.config.activeDecodeBlocksThreshold;
  }

  set activeDecodeBlocksThreshold(mark: number | null) {
    this.loop.thresholds.set({ activeDecodeBlocksThreshold: mark });
  }

  get activePrefillTokensThreshold(): Count | null {
    return this.loop.thresholds.config.activePrefillTokensThreshold;
  }

  set activePrefillTokensThreshold(mark: Count | null) {
    this.loop.thresholds.set({ activePrefillTokensThreshold: mark });
  }

  get activePrefillTokensThresholdFrac(): number | null {
    return this.loop.thresholds.config.activePrefillTokensThresholdFrac;
  }

  set activePrefillTokensThresholdFrac(mark: number | null) {
    this.loop.thresholds.set({ activePrefillTokensThresholdFrac: mark });
  }

  /** The present state, or `undefined` while the monitor does not run. */
  snapshot(): MonitorSnapshot | undefined {
    return this.loop.run?.snapshot();
  }

  /** Why a worker is busy or free now; `undefined` where nothing is known. */
  explain(workerId: WorkerId): Explanation | undefined {
    return this.loop.run?.explain(workerId);
  }

  /** Another handle on the same monitor: what is done through one shows in the other. */
  clone(): KvWorkerMonitor {
    return new KvWorkerMonitor(this.loop);
  }

  [Symbol.dispose](): void {
    this.stopMonitoring();
  }
}
