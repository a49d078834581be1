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

/** The marks of a monitor, which outlive its runs, and their changes, which reach the run under way. */
export class MonitorThresholds {
  private inForce: LoadThresholdConfig;
  private changesSoFar: LoadThresholdUpdate = {};
  private readonly changes$ = new Subject<LoadThresholdUpdate>();

  constructor(private readonly policy: LoadPolicy) {
    this.inForce = LoadThresholdConfig.defaults(policy);
  }

  /** The marks in force. */
  get config(): LoadThresholdConfig {
    return this.inForce;
  }

  /** What the next run starts with: the marks as they were given, as a stored one, stored again, may be cut twice. */
  get given(): LoadThresholdUpdate {
    return this.changesSoFar;
  }

  get updates$(): Observable<LoadThresholdUpdate> {
    return this.changes$;
  }

  /** Changes the given marks. Throws what {@link LoadThresholdConfig.set} throws, and changes nothing then. */
  set(change: LoadThresholdUpdate): void {
    this.inForce = this.inForce.set(change);
    const meant = Object.entries(change).filter(
      ([, mark]) => mark !== undefined && (mark !== null || this.policy.nullThreshold === 'off'),
    );
    this.changesSoFar = { ...this.changesSoFar, ...(Object.fromEntries(meant) as LoadThresholdUpdate) };
    this.changes$.next(change);
  }
}

/** What all clones of a monitor share: its marks, its prefill client, and the run that may be under way. */
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

  /** The run under way. */
  get run(): LoadMonitor | undefined {
    return this.run$.value;
  }

  /** The run under way, then each one that begins, and `undefined` when one ends. */
  get runs$(): Observable<LoadMonitor | undefined> {
    return this.run$;
  }

  get prefillClients$(): Observable<PrefillClient | undefined> {
    return this.prefill$;
  }

  /** Why a run did not begin, or ended because its configurations failed before they said anything. */
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
      // Never in the same turn, so that what throws at once is retried as well as what is rejected later.
      const configs$ = await Promise.resolve().then(configs);
      if (stops === this.stops) this.connect(configs$);
    } catch (error) {
      // Whoever stopped the start meanwhile has no use for its failure.
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
    let spoke = false;
    let failure: ConfigsUnavailableError | undefined;
    const wanted$ = configs$?.pipe(
      tap(() => (spoke = true)),
      catchError((error: unknown) => {
        if (spoke) throw error;
        failure = new ConfigsUnavailableError(error);
        this.problems$.next(configsProblem(error));
        monitor.stop();
        return NEVER;
      }),
    );
    const monitor = loadMonitor(toMonitorSources(sources, wanted$, thresholds.updates$, this.prefill$), {
      policy,
      start: { thresholds: thresholds.given, ...(options.role && { role: options.role }) },
      ...(options.scheduler && { scheduler: options.scheduler }),
    });
    // The clients are told before anybody else is. A run begins with nobody busy, which is news only after another.
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
  if (prefill === undefined || isObservable(prefill) || prefill.policy.prefillClient === 'not-told') return;
  prefill.setOverloaded(busy);
}

function configsProblem(error: unknown): Problem {
  const why = errorText(error);
  const text = `the monitor did not start, as its configurations cannot be had: ${why}`;
  return { code: 'source-error', source: 'configs', text, count: 1 };
}
