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
import { aNumber, aScheduler, optionProblems, required } from '../../core/option-problems.js';
import { nextStatus, type SourceState, type SourceStatus } from '../../core/sources/source-status.js';
import { errorText } from '../../operators/error-text.js';
import { ServiceError } from '../service-error.js';
import { fetchThresholds, type ThresholdsByModel } from './fetch-thresholds.js';

/** Which frontends to poll, and how often. */
export interface FrontendOptions {
  /** The URLs of Dynamo frontends. The thresholds of the first one that answers, in this order, are in force. */
  readonly urls: readonly string[];
  /** How often each frontend is polled, in milliseconds. */
  readonly intervalMs: number;
  /** How long an answer may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly scheduler: SchedulerLike;
}

/** The state and the latest thresholds of a frontend. */
export interface FrontendReport {
  readonly url: string;
  readonly state: SourceState;
  /** When the state began: a time of the clock of the options. */
  readonly since: number;
  readonly why?: string;
  /** The latest thresholds. They are kept while the frontend is down. */
  readonly thresholds: ThresholdsByModel;
}

/** The thresholds in force at Dynamo's frontends. */
export interface FrontendThresholds {
  /** All frontends, in the given order, each time one of them was polled. */
  readonly reports$: Observable<readonly FrontendReport[]>;
  /** The status of each frontend. */
  readonly status: readonly Observable<SourceStatus>[];
  /** The current time of the clock of the reports, in milliseconds. */
  now(): number;
}

/**
 * Polls Dynamo's frontends for the thresholds in force.
 *
 * 1. Frontends are polled independently of each other. A frontend is not polled while its answer is pending.
 * 2. A frontend that is down or sends an invalid answer is polled further. Its latest thresholds are kept, and `why` says
 *    what is wrong.
 * 3. Polling starts with the first subscription and stops with the last. The outputs never error or complete.
 *
 * @throws ServiceError, code `frontend-options`, for invalid options.
 *
 * @example
 * ```ts no-run
 * import { monotonicScheduler } from 'tidemark/clock';
 * import { frontendThresholds } from 'tidemark/service';
 *
 * const urls = ['http://10.0.0.3:8000', 'http://10.0.0.4:8000'];
 * const options = { urls, intervalMs: 5000, timeoutMs: 5000, scheduler: monotonicScheduler };
 * frontendThresholds(options).reports$.subscribe((reports) => {
 *   for (const { url, state, thresholds } of reports) console.log(url, state, thresholds);
 * });
 * ```
 *
 * @see {@link startService}, whose option `frontends` takes the result
 */
export function frontendThresholds(options: FrontendOptions): FrontendThresholds {
  requireFrontendOptions(options);
  const each = options.urls.map((url) => reportsOf(url, options));
  return {
    reports$: combineLatest(each),
    status: each.map((report$) => report$.pipe(map(statusOf), distinctStatus())),
    now: () => options.scheduler.now(),
  };
}

function requireFrontendOptions(options: FrontendOptions): void {
  const problems = optionProblems('frontendThresholds', options, {
    urls: required({
      what: 'a list of URLs such as http://10.0.0.3:8000',
      is: (value) =>
        Array.isArray(value) && value.every((url) => typeof url === 'string' && URL.canParse(url)),
    }),
    intervalMs: required(aNumber),
    timeoutMs: required(aNumber),
    scheduler: required(aScheduler),
  });
  if (problems.length > 0) throw new ServiceError(500, 'frontend-options', `${problems.join('; ')}.`);
}

function reportsOf(
  url: string,
  { intervalMs, timeoutMs, scheduler }: FrontendOptions,
): Observable<FrontendReport> {
  type Answer = { readonly thresholds: ThresholdsByModel } | { readonly why: string };
  const ask = (): Observable<Answer> =>
    from(fetchThresholds(url, timeoutMs)).pipe(
      map((thresholds): Answer => ({ thresholds })),
      catchError((error: unknown) => of({ why: errorText(error) })),
    );
  return defer(() => {
    const first: FrontendReport = { url, state: 'connecting', since: scheduler.now(), thresholds: new Map() };
    return timer(0, intervalMs, scheduler).pipe(
      exhaustMap(ask),
      scan((before, answer): FrontendReport => {
        const now = scheduler.now();
        if ('thresholds' in answer)
          return { url, ...nextStatus(before, { state: 'live' }, now), thresholds: answer.thresholds };
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
