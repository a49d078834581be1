import {
  catchError,
  combineLatest,
  defer,
  distinctUntilChanged,
  exhaustMap,
  from,
  map,
  of,
  scan,
  share,
  ReplaySubject,
  startWith,
  timer,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import { nextStatus, type SourceState, type SourceStatus } from '../../core/sources/source-status.js';
import { errorText } from '../../operators/error-text.js';
import { fetchThresholds, type ThresholdsByModel } from './fetch-thresholds.js';

/** Which frontends are asked, and how often. */
export interface FrontendOptions {
  /** Of Dynamo frontends; in this order the first that answers says which marks are in force. */
  readonly urls: readonly string[];
  /** How often each is asked, in milliseconds. */
  readonly intervalMs: number;
  /** How long an answer may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly scheduler: SchedulerLike;
}

/** What one frontend said last. */
export interface FrontendReport {
  readonly url: string;
  readonly state: SourceState;
  readonly since: number;
  readonly why?: string;
  /** What it said last; it stays while the frontend is down. */
  readonly thresholds: ThresholdsByModel;
}

/** The marks in force at Dynamo's frontends. */
export interface FrontendThresholds {
  /** All frontends, in order, whenever one of them was asked. */
  readonly reports$: Observable<readonly FrontendReport[]>;
  readonly status: readonly Observable<SourceStatus>[];
}

/**
 * Asks Dynamo's frontends for the marks in force, again and again.
 *
 * 1. Each frontend is asked by itself; while an answer is awaited it is not asked again.
 * 2. One that is down, or answers with something else than marks, stays asked; its last marks stay, and `why` says what
 *    is wrong.
 * 3. Nothing is asked before the first subscription, and nothing after the last. Neither output errors or completes.
 *
 * @example
 * ```ts no-run
 * import { monotonicScheduler } from 'tidemark/clock';
 * import { frontendMarks } from 'tidemark/service';
 *
 * const urls = ['http://10.0.0.3:8000', 'http://10.0.0.4:8000'];
 * const frontends = frontendMarks({ urls, intervalMs: 5000, timeoutMs: 5000, scheduler: monotonicScheduler });
 * frontends.reports$.subscribe((reports) => reports.forEach(({ url, state, marks }) => console.log(url, state, marks)));
 * ```
 *
 * @see {@link startService}, which takes them as `frontends`
 */
export function frontendThresholds(options: FrontendOptions): FrontendThresholds {
  const each = options.urls.map((url) => reportsOf(url, options));
  return {
    reports$: combineLatest(each),
    status: each.map((report$) => report$.pipe(map(statusOf), distinctStatus())),
  };
}

function reportsOf(
  url: string,
  { intervalMs, timeoutMs, scheduler }: FrontendOptions,
): Observable<FrontendReport> {
  type Answer = { readonly marks: ThresholdsByModel } | { readonly why: string };
  const ask = (): Observable<Answer> =>
    from(fetchThresholds(url, timeoutMs)).pipe(
      map((marks): Answer => ({ marks })),
      catchError((error: unknown) => of({ why: errorText(error) })),
    );
  return defer(() => {
    const first: FrontendReport = { url, state: 'connecting', since: scheduler.now(), thresholds: new Map() };
    return timer(0, intervalMs, scheduler).pipe(
      exhaustMap(ask),
      scan((before, answer): FrontendReport => {
        const now = scheduler.now();
        if ('marks' in answer)
          return { url, ...nextStatus(before, { state: 'live' }, now), thresholds: answer.marks };
        const down = nextStatus(before, { state: 'down', why: answer.why }, now);
        return { url, ...down, thresholds: before.thresholds };
      }, first),
      startWith(first),
    );
  }).pipe(share({ connector: () => new ReplaySubject(1), resetOnRefCountZero: true }));
}

function statusOf({ url, state, since, why }: FrontendReport): SourceStatus {
  return { source: `frontend ${url}`, state, since, ...(why !== undefined && { why }) };
}

function distinctStatus(): (source$: Observable<SourceStatus>) => Observable<SourceStatus> {
  return (source$) => source$.pipe(distinctUntilChanged((a, b) => a.state === b.state && a.why === b.why));
}
