import { defer, distinctUntilChanged, map, merge, of, skip, startWith, tap, type Observable } from 'rxjs';
import { pickThresholds } from '../../core/policy/load-thresholds.js';
import { newStatuses } from '../../core/sources/status-reports.js';
import { forEachPool, type Pool, type Pools } from '../../fleet/pools/pools.js';
import { isoTime, poolLabel, type PoolSummaries } from '../queries/pool-summary.js';

/** A server-sent event. */
export interface ServerSentEvent {
  readonly type: 'pool' | 'pool-gone' | 'transition' | 'fleet' | 'thresholds' | 'source' | 'drift';
  readonly data: object;
}

/**
 * The changes of a fleet as server-sent events: pools that appear (with a description) and end, transitions of workers,
 * counts and state of a pool, its thresholds, and the status of the sources.
 */
export function serverSentEvents(pools: Pools, summaries: PoolSummaries): Observable<ServerSentEvent> {
  const pools$ = forEachPool(
    pools,
    (pool) => poolEvents(pool, summaries),
    (pool): ServerSentEvent[] => [{ type: 'pool-gone', data: poolLabel(pool) }],
  );
  return merge(pools$, sourceStatusEvents(pools));
}

function poolEvents(pool: Pool, summaries: PoolSummaries): Observable<ServerSentEvent> {
  const label = poolLabel(pool);
  const { transitions$, fleet$, steps$ } = pool.monitor;
  const description$ = defer(() => of<ServerSentEvent>({ type: 'pool', data: summaries.describe(pool) }));
  return merge(
    description$,
    transitions$.pipe(
      tap((transition) => summaries.retryAfterOf(pool).add(transition)),
      map(({ workerId, busy, at, verdict }): ServerSentEvent => {
        const { reason, text } = verdict;
        return {
          type: 'transition',
          data: { ...label, workerId, busy, reason, text, at: isoTime(pool.monitor, at) },
        };
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
      map((thresholds): ServerSentEvent => ({
        type: 'thresholds',
        data: { ...label, thresholds: thresholds === undefined ? null : pickThresholds(thresholds) },
      })),
    ),
  );
}

function sourceStatusEvents({ sourceMonitor }: Pools): Observable<ServerSentEvent> {
  return sourceMonitor.status$.pipe(
    newStatuses(),
    map((status): ServerSentEvent => ({
      type: 'source',
      data: { ...status, since: isoTime(sourceMonitor, status.since) },
    })),
  );
}
