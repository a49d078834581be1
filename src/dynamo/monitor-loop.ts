import {
  BehaviorSubject,
  NEVER,
  type Observable,
  Subject,
  catchError,
  filter,
  isObservable,
  tap,
} from 'rxjs';
import { type LoadMonitor, loadMonitor } from '../core/pipeline/load-monitor.js';
import type { ConfigChange } from '../core/pipeline/monitor-sources.js';
import type { LoadPolicy } from '../core/policy/load-policy.js';
import { LoadThresholdConfig } from '../core/policy/load-threshold-config.js';
import type { LoadThresholdUpdate } from '../core/policy/load-thresholds.js';
import type { Problem } from '../core/sources/problem.js';
import type { BusySet } from '../core/state/busy-set.js';
import { errorText } from '../operators/error-text.js';
import {
  ConfigsUnavailableError,
  type KvMonitorOptions,
  type KvMonitorSources,
  type PrefillClient,
  toMonitorSources,
} from './kv-monitor-options.js';

/** The thresholds of a monitor, which outlive its runs. Changes also reach the current run. */
export class MonitorThresholds {
  private inForce: LoadThresholdConfig;
  private changesSoFar: LoadThresholdUpdate = {};
  private readonly changes$ = new Subject<LoadThresholdUpdate>();

  constructor(private readonly policy: LoadPolicy) {
    this.inForce = LoadThresholdConfig.defaults(policy);
  }

  /** The thresholds in force. */
  get config(): LoadThresholdConfig {
    return this.inForce;
  }

  /**
   * The thresholds as they were given, for the next run. The policy may truncate a threshold when it stores it, and must not
   * truncate it twice.
   */
  get given(): LoadThresholdUpdate {
    return this.changesSoFar;
  }

  /** The changes, for the current run. */
  get updates$(): Observable<LoadThresholdUpdate> {
    return this.changes$;
  }

  /** Changes the given thresholds. If {@link LoadThresholdConfig.set} throws, nothing changes. */
  set(change: LoadThresholdUpdate): void {
    this.inForce = this.inForce.set(change);
    const applied = Object.entries(change).filter(
      ([, threshold]) =>
        threshold !== undefined && (threshold !== null || this.policy.nullThreshold === 'off'),
    );
    this.changesSoFar = { ...this.changesSoFar, ...(Object.fromEntries(applied) as LoadThresholdUpdate) };
    this.changes$.next(change);
  }
}

/** The state that all clones of a monitor share: its thresholds, its prefill client, and its current run. */
export class MonitorLoop {
  readonly thresholds: MonitorThresholds;
  private readonly run$ = new BehaviorSubject<LoadMonitor | undefined>(undefined);
  private readonly prefill$ = new BehaviorSubject<PrefillClient | undefined>(undefined);
  private readonly problems$ = new Subject<Problem>();
  private starting: Promise<void> | undefined;
  private stops = 0;
  private hasPublished = false;

  constructor(
    readonly sources: KvMonitorSources,
    private readonly policy: LoadPolicy,
    private readonly options: KvMonitorOptions,
  ) {
    this.thresholds = new MonitorThresholds(policy);
  }

  /** The current run. */
  get run(): LoadMonitor | undefined {
    return this.run$.value;
  }

  /** The current run, then each new run, and `undefined` when one ends. */
  get runs$(): Observable<LoadMonitor | undefined> {
    return this.run$;
  }

  get prefillClients$(): Observable<PrefillClient | undefined> {
    return this.prefill$;
  }

  /** Reports why a run did not start, or ended because its configs errored before their first value. */
  get failures$(): Observable<Problem> {
    return this.problems$;
  }

  async start(): Promise<void> {
    if (this.run !== undefined) return;
    const { configs } = this.sources;
    if (typeof configs !== 'function') return this.connect(configs);
    this.starting ??= this.startAfterConfigs(configs);
    return this.starting;
  }

  stop(): void {
    this.stops += 1;
    this.starting = undefined;
    this.run?.stop();
  }

  setPrefill(prefill: PrefillClient): void {
    if (!isObservable(prefill)) prefill.connect();
    const busy = this.run?.snapshot()?.busy;
    if (busy !== undefined) publishToPrefill(prefill, busy);
    this.prefill$.next(prefill);
  }

  private async startAfterConfigs(
    configs: () => Observable<ConfigChange> | PromiseLike<Observable<ConfigChange>>,
  ): Promise<void> {
    const { stops } = this;
    try {
      // Asynchronous even if `configs` throws synchronously, so that both kinds of failure behave the same.
      const configs$ = await Promise.resolve().then(configs);
      if (stops === this.stops) this.connect(configs$);
    } catch (error) {
      // A start that was stopped meanwhile does not fail.
      if (stops !== this.stops) return;
      if (error instanceof ConfigsUnavailableError) throw error;
      this.problems$.next(configsProblem(error));
      throw new ConfigsUnavailableError(error);
    } finally {
      if (stops === this.stops) this.starting = undefined;
    }
  }

  private connect(configs$: Observable<ConfigChange> | undefined): void {
    const { sources, policy, thresholds, options } = this;
    let hasConfigs = false;
    let failure: ConfigsUnavailableError | undefined;
    const checkedConfigs$ = configs$?.pipe(
      tap(() => (hasConfigs = true)),
      catchError((error: unknown) => {
        if (hasConfigs) throw error;
        failure = new ConfigsUnavailableError(error);
        this.problems$.next(configsProblem(error));
        monitor.stop();
        return NEVER;
      }),
    );
    const monitor = loadMonitor(
      toMonitorSources(sources, checkedConfigs$, thresholds.updates$, this.prefill$),
      {
        policy,
        thresholds: thresholds.given,
        ...(options.role && { role: options.role }),
        ...(options.scheduler && { scheduler: options.scheduler }),
      },
    );
    // Subscribed first, so that the clients are notified first. The empty set of a first run is not published.
    monitor.busy$.pipe(filter(({ version }) => version > 0 || this.hasPublished)).subscribe({
      next: (busy) => this.publish(busy),
      error: (error: unknown) => this.problems$.next(configsProblem(error)),
    });
    sources.client?.connect();
    this.run$.next(monitor);
    monitor.connect().add(() => {
      if (this.run === monitor) this.run$.next(undefined);
    });
    if (failure !== undefined) throw failure;
  }

  private publish(busy: BusySet): void {
    this.hasPublished = true;
    this.sources.client?.setOverloaded(busy);
    publishToPrefill(this.prefill$.value, busy);
  }
}

function publishToPrefill(prefill: PrefillClient | undefined, busy: BusySet): void {
  if (prefill === undefined || isObservable(prefill) || prefill.policy.prefillClient === 'not-notified')
    return;
  prefill.setOverloaded(busy);
}

function configsProblem(error: unknown): Problem {
  const why = errorText(error);
  const text = `the monitor did not start, because its configs are not available: ${why}`;
  return { code: 'source-error', source: 'configs', text, count: 1 };
}
