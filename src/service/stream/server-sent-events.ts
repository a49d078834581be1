import {
  concat,
  defer,
  distinctUntilChanged,
  EMPTY,
  filter,
  from,
  map,
  merge,
  mergeMap,
  of,
  pairwise,
  skip,
  startWith,
  takeUntil,
  tap,
  type Observable,
} from 'rxjs';
import type { SourceStatus } from '../../core/sources/source-status.js';
import type { Pool, PoolChange, Pools } from '../pools/pools.js';
import { pickThresholds, poolLabel, type PoolSummaries } from '../queries/pool-summary.js';

/** One thing that is different from before. */
export interface ServerSentEvent {
  readonly type: 'pool' | 'pool-gone' | 'transition' | 'fleet' | 'marks' | 'source' | 'drift';
  readonly data: object;
}

/**
 * What changes in a fleet, as events: pools that come (as a whole) and go, workers that become busy or free, counts and
 * state of a pool, its marks, and how the sources are.
 */
export function serverSentEvents(pools: Pools, summaries: PoolSummaries): Observable<ServerSentEvent> {
  const present$ = defer(() => from(pools.list().map((pool): PoolChange => ({ pool, present: true }))));
  const pools$ = concat(present$, pools.changes$).pipe(
    mergeMap(({ pool, present }) => {
      if (!present) return of<ServerSentEvent>({ type: 'pool-gone', data: poolLabel(pool) });
      const gone$ = pools.changes$.pipe(filter((change) => change.pool === pool && !change.present));
      return poolChangeEvents(pool, summaries).pipe(takeUntil(gone$));
    }),
  );
  return merge(pools$, sourceStatusEvents(pools));
}

function poolChangeEvents(pool: Pool, summaries: PoolSummaries): Observable<ServerSentEvent> {
  const label = poolLabel(pool);
  const { transitions$, fleet$, steps$ } = pool.monitor;
  const whole$ = defer(() => of<ServerSentEvent>({ type: 'pool', data: summaries.describe(pool) }));
  return merge(
    whole$,
    transitions$.pipe(
      tap((transition) => summaries.retryAfterOf(pool).add(transition)),
      map(({ workerId, busy, at, verdict }): ServerSentEvent => {
        const { reason, text } = verdict;
        return { type: 'transition', data: { ...label, workerId, busy, reason, text, at: isoTime(at) } };
      }),
    ),
    fleet$.pipe(
      skip(pool.monitor.snapshot() === undefined ? 0 : 1),
      map((): ServerSentEvent => ({ type: 'fleet', data: summaries.summarize(pool) })),
    ),
    steps$.pipe(
      map(({ thresholds }) => thresholds),
      startWith(pool.monitor.snapshot()?.thresholds),
      distinctUntilChanged(),
      skip(1),
      map((marks): ServerSentEvent => ({ type: 'marks', data: { ...label, marks: pickThresholds(marks) } })),
    ),
  );
}

function sourceStatusEvents({ sourceMonitor }: Pools): Observable<ServerSentEvent> {
  return sourceMonitor.status$.pipe(
    startWith<readonly SourceStatus[]>([]),
    pairwise(),
    mergeMap(([before, now]) => {
      const changed = now.filter((status) => !before.includes(status));
      return changed.length === 0
        ? EMPTY
        : from(
            changed.map((status): ServerSentEvent => ({
              type: 'source',
              data: { ...status, since: isoTime(status.since) },
            })),
          );
    }),
  );
}

/** A moment of the clock that drives the monitors, which counts as the wall clock does. */
export function isoTime(at: number): string {
  return new Date(at).toISOString();
}
