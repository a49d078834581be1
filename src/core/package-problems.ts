import { distinctUntilChanged, map, mergeMap, type Observable } from 'rxjs';
import type { Problem } from './problem.js';
import type { SourceStatus } from './source-status.js';

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
