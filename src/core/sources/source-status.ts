import {
  NEVER,
  type Observable,
  type OperatorFunction,
  type SchedulerLike,
  concat,
  defer,
  distinctUntilChanged,
  map,
  mergeMap,
  of,
  startWith,
} from 'rxjs';
import { SessionFailure } from '../../operators/reconnect.js';
import { type PackageErrorCode, packageErrorCode } from '../errors.js';
import type { Problem } from './problem.js';

/**
 * The state of a source: `connecting`, not reached yet; `live`, delivers values; `stale`, silent for too long; `down`,
 * lost and being retried; `ended`, it completed and no more values follow.
 */
export type SourceState = 'connecting' | 'live' | 'stale' | 'down' | 'ended';

/** What a source says about itself, or the monitor about a source. */
export interface SourceStatus {
  /** The source: `loads`, `configs`, `decodeInstances`, `prefillInstances`, or the name that an adapter gives. */
  readonly source: string;
  readonly state: SourceState;
  /** When the state began, in milliseconds of the clock of the source; in the outputs of a monitor, of its own clock. */
  readonly since: number;
  /** The reason in one sentence, if there is one. */
  readonly why?: string;
  /** Present when the reason is an optional package: no retry succeeds before `why` is followed. */
  readonly code?: PackageErrorCode;
  /** The wait before the next try in milliseconds, while the source is `down`. */
  readonly retryInMs?: number;
}

/** The status of a source that cannot fail: `live` since it exists, on a clock of its own. It never completes. */
export function liveStatus(source: string): Observable<SourceStatus> {
  return concat(of<SourceStatus>({ source, state: 'live', since: 0 }), NEVER);
}

/** The part of a status that changes; `State` is {@link SourceState}, or the states of something else that has a status. */
export interface StateSince<State extends string> {
  readonly state: State;
  readonly since: number;
  readonly why?: string;
  readonly code?: PackageErrorCode;
  readonly retryInMs?: number;
}

/**
 * The next status: `since` is kept while the state stays the same, and is `now` in a new state. Members of `next` that
 * are `undefined` are left out.
 */
export function nextStatus<State extends string>(
  before: { readonly state: State; readonly since: number },
  next: {
    readonly state: State;
    readonly why?: string | undefined;
    readonly code?: PackageErrorCode | undefined;
    readonly retryInMs?: number | undefined;
  },
  now: number,
): StateSince<State> {
  const { state, why, code, retryInMs } = next;
  return {
    state,
    since: before.state === state ? before.since : now,
    ...(why !== undefined && { why }),
    ...(code !== undefined && { code }),
    ...(retryInMs !== undefined && { retryInMs }),
  };
}

/** The reason of a status whose session failed. */
export function failureReason({
  why,
  error,
  retryInMs,
}: SessionFailure): Pick<Parameters<typeof nextStatus>[1], 'why' | 'code' | 'retryInMs'> {
  return { why, code: packageErrorCode(error), retryInMs };
}

/** What a session says about its source. */
export interface StateReport {
  readonly state: SourceState;
  readonly why?: string | undefined;
}

/**
 * Converts what the sessions of a source report into its status.
 *
 * 1. It begins with `connecting`.
 * 2. A {@link StateReport} becomes a status with that state, and a {@link SessionFailure} becomes `down` with its reason.
 * 3. All other values pass through.
 *
 * ```
 *   sessions   ---live------failure---live--
 *   output     c--live------down------live--
 * ```
 *
 * @see reconnect
 */
export function followSessions<T extends object = never>(
  source: string,
  scheduler: SchedulerLike,
): OperatorFunction<T | StateReport | SessionFailure, T | SourceStatus> {
  return (sessions$) =>
    defer(() => {
      let status: SourceStatus = { source, state: 'connecting', since: scheduler.now() };
      return sessions$.pipe(
        map((item) => {
          if (item instanceof SessionFailure) return { state: 'down' as const, ...failureReason(item) };
          return item;
        }),
        map((item) =>
          isReport(item) ? (status = { source, ...nextStatus(status, item, scheduler.now()) }) : item,
        ),
        startWith(status),
      );
    });
}

function isReport(item: object): item is StateReport {
  return 'state' in item;
}

/** The status of a source, and the place of the source among all sources. */
export interface OrderedStatus {
  readonly kind: 'status';
  readonly order: number;
  readonly status: SourceStatus;
}

/**
 * The list of a monitor with the status of one source replaced, or added in the order of the sources. `since` is when the
 * monitor first received the state, because a source may have another clock.
 *
 * @param now the time of the monitor's clock
 */
export function withStatus(
  list: readonly OrderedStatus[],
  { kind, order, status }: OrderedStatus,
  now: number,
): readonly OrderedStatus[] {
  const at = list.findIndex((known) => known.status.source === status.source);
  const before = list[at];
  if (before === undefined)
    return [...list, { kind, order, status: { ...status, since: now } }].sort(byOrder);
  const since = before.status.state === status.state ? before.status.since : now;
  return list.with(at, { ...before, status: { ...status, since } });
}

function byOrder(a: OrderedStatus, b: OrderedStatus): number {
  return a.order - b.order;
}

/** Emits a problem each time a source starts to need a package that is missing or unsupported. */
export function packageProblems(
  status$: Observable<SourceStatus>,
  source: Problem['source'],
): Observable<Problem> {
  return status$.pipe(
    map(({ code, why = '' }) => ({ code, why })),
    distinctUntilChanged((before, { code }) => before.code === code),
    mergeMap(({ code, why }) => (code === undefined ? [] : [{ code, source, text: why, count: 1 }])),
  );
}
