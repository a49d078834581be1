import {
  BehaviorSubject,
  catchError,
  filter,
  isObservable,
  NEVER,
  Subject,
  tap,
  type Observable,
} from 'rxjs';
import type { BusySet } from '../core/busy-set.js';
import { loadMonitor, type LoadMonitor } from '../core/load-monitor/load-monitor.js';
import type { ConfigChange } from '../core/load-monitor/monitor-sources.js';
import type { LoadPolicy } from '../core/load-policy.js';
import type { Problem } from '../core/problem.js';
import { ConfigsUnavailableError } from './kv-monitor-error.js';
import type { KvMonitorOptions } from './kv-monitor-options.js';
import type { KvMonitorSources } from './kv-monitor-sources.js';
import { loopSources, type PrefillClient } from './loop-sources.js';
import { MonitorMarks } from './monitor-marks.js';
import { errorText } from '../operators/error-text.js';

/** What all clones of a monitor share: its marks, its prefill client, and the run that may be under way. */
export class MonitorLoop {
  readonly marks: MonitorMarks;
  private readonly run$ = new BehaviorSubject<LoadMonitor | undefined>(undefined);
  private readonly prefill$ = new BehaviorSubject<PrefillClient | undefined>(undefined);
  private readonly problems$ = new Subject<Problem>();
  private asking: Promise<void> | undefined;
  private stops = 0;
  private published = false;

  constructor(
    readonly sources: KvMonitorSources,
    private readonly policy: LoadPolicy,
    private readonly options: KvMonitorOptions,
  ) {
    this.marks = new MonitorMarks(policy);
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
    this.asking ??= this.ask(configs);
    return this.asking;
  }

  stop(): void {
    this.stops += 1;
    this.asking = undefined;
    this.run?.stop();
  }

  setPrefill(prefill: PrefillClient): void {
    if (!isObservable(prefill)) prefill.connect();
    const busy = this.run?.snapshot()?.busy;
    if (busy !== undefined) tell(prefill, busy);
    this.prefill$.next(prefill);
  }

  private async ask(
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
      this.problems$.next(problemOf(error));
      throw new ConfigsUnavailableError(error);
    } finally {
      if (stops === this.stops) this.asking = undefined;
    }
  }

  private connect(configs$: Observable<ConfigChange> | undefined): void {
    const { sources, policy, marks, options } = this;
    let spoke = false;
    let failure: ConfigsUnavailableError | undefined;
    const wanted$ = configs$?.pipe(
      tap(() => (spoke = true)),
      catchError((error: unknown) => {
        if (spoke) throw error;
        failure = new ConfigsUnavailableError(error);
        this.problems$.next(problemOf(error));
        monitor.stop();
        return NEVER;
      }),
    );
    const monitor = loadMonitor(loopSources(sources, wanted$, marks.updates$, this.prefill$), {
      policy,
      start: { thresholds: marks.given, ...(options.source && { source: options.source }) },
      ...(options.scheduler && { scheduler: options.scheduler }),
    });
    // The clients are told before anybody else is. A run begins with nobody busy, which is news only after another.
    monitor.busy$.pipe(filter(({ version }) => version > 0 || this.published)).subscribe({
      next: (busy) => this.publish(busy),
      error: (error: unknown) => this.problems$.next(problemOf(error)),
    });
    sources.client?.connect();
    this.run$.next(monitor);
    monitor.connect().add(() => {
      if (this.run === monitor) this.run$.next(undefined);
    });
    if (failure !== undefined) throw failure;
  }

  private publish(busy: BusySet): void {
    this.published = true;
    this.sources.client?.setOverloaded(busy);
    tell(this.prefill$.value, busy);
  }
}

function tell(prefill: PrefillClient | undefined, busy: BusySet): void {
  if (prefill === undefined || isObservable(prefill) || prefill.policy.prefillClient === 'not-told') return;
  prefill.setOverloaded(busy);
}

function problemOf(error: unknown): Problem {
  const why = errorText(error);
  const text = `the monitor did not start, as its configurations cannot be had: ${why}`;
  return { code: 'source-error', source: 'configs', text, count: 1 };
}
