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
import type { SourceStatus } from '../../core/source-status.js';
import type { Pool } from '../pools/pool.js';
import { marksOf, poolLabel, type PoolViews } from '../pools/pool-views.js';
import type { PoolChange, Pools } from '../pools/pools.js';

/** One thing that is different from before. */
export interface News {
  readonly type: 'pool' | 'pool-gone' | 'transition' | 'fleet' | 'marks' | 'source' | 'drift';
  readonly data: object;
}

/**
 * What changes in a fleet, as events: pools that come (as a whole) and go, workers that become busy or free, counts and
 * state of a pool, its marks, and how the sources are.
 */
export function fleetNews(pools: Pools, views: PoolViews): Observable<News> {
  const present$ = defer(() => from(pools.list().map((pool): PoolChange => ({ pool, present: true }))));
  const pools$ = concat(present$, pools.changes$).pipe(
    mergeMap(({ pool, present }) => {
      if (!present) return of<News>({ type: 'pool-gone', data: poolLabel(pool) });
      const gone$ = pools.changes$.pipe(filter((change) => change.pool === pool && !change.present));
      return poolNews(pool, views).pipe(takeUntil(gone$));
    }),
  );
  return merge(pools$, sourceNews(pools));
}

function poolNews(pool: Pool, views: PoolViews): Observable<News> {
  const label = poolLabel(pool);
  const { transitions$, fleet$, steps$ } = pool.monitor;
  const whole$ = defer(() => of<News>({ type: 'pool', data: views.wholeOf(pool) }));
  return merge(
    whole$,
    transitions$.pipe(
      tap((transition) => views.hintOf(pool).note(transition)),
      map(({ workerId, busy, at, verdict }): News => {
        const { reason, text } = verdict;
        return { type: 'transition', data: { ...label, workerId, busy, reason, text, at: timeText(at) } };
      }),
    ),
    fleet$.pipe(
      skip(pool.monitor.snapshot() === undefined ? 0 : 1),
      map((): News => ({ type: 'fleet', data: views.viewOf(pool) })),
    ),
    steps$.pipe(
      map(({ thresholds }) => thresholds),
      startWith(pool.monitor.snapshot()?.thresholds),
      distinctUntilChanged(),
      skip(1),
      map((marks): News => ({ type: 'marks', data: { ...label, marks: marksOf(marks) } })),
    ),
  );
}

function sourceNews({ sources }: Pools): Observable<News> {
  return sources.status$.pipe(
    startWith<readonly SourceStatus[]>([]),
    pairwise(),
    mergeMap(([before, now]) => {
      const changed = now.filter((status) => !before.includes(status));
      return changed.length === 0
        ? EMPTY
        : from(
            changed.map((status): News => ({
              type: 'source',
              data: { ...status, since: timeText(status.since) },
            })),
          );
    }),
  );
}

/** A moment of the clock that drives the monitors, which counts as the wall clock does. */
export function timeText(at: number): string {
  return new Date(at).toISOString();
}
