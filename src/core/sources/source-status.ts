import { type Observable, distinctUntilChanged, map, mergeMap } from 'rxjs';
import type { PackageErrorCode } from '../errors.js';
import type { Problem } from './problem.js';

/** How a source is: on its way, delivering, silent for too long, cut off and trying again, or over. */
export type SourceState = 'connecting' | 'live' | 'stale' | 'down' | 'ended';

/** What a source says about itself, or the monitor about a source. */
export interface SourceStatus {
  /** Which source, `loads`, `configs`, `decodeInstances`, `prefillInstances`, or an adapter's own name. */
  readonly source: string;
  readonly state: SourceState;
  /** Since when, in milliseconds of the clock that drives the monitor. */
  readonly since: number;
  /** One sentence for people, where there is something to say. */
  readonly why?: string;
  /** Present when the reason is an optional package: no retry succeeds before `why` is followed. */
  readonly code?: PackageErrorCode;
  /** In how many milliseconds it is tried again, where it is down. */
  readonly retryInMs?: number;
}

/** A problem each time that a source begins to lack an optional package, from its statuses. */
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
