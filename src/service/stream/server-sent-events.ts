import {
  asapScheduler,
  auditTime,
  defer,
  distinctUntilChanged,
  map,
  merge,
  mergeMap,
  of,
  skip,
  startWith,
  tap,
  type Observable,
} from 'rxjs';
import { pickThresholds } from '../../core/policy/load-thresholds.js';
import type { FleetModel } from '../../core/sources/worker-info.js';
import { newStatuses } from '../../core/sources/status-reports.js';
import { forEachPool, type Pool, type Pools } from '../../fleet/pools/pools.js';
import { summarizeModel, wholePool } from '../queries/models.js';
import { isoTime, poolLabel, type PoolSummaries } from '../queries/pool-summary.js';

/** A server-sent event. */
export interface ServerSentEvent {
  readonly type: 'model' | 'pool' | 'pool-gone' | 'transition' | 'fleet' | 'thresholds' | 'source' | 'drift';
  readonly data: object;
}

/**
 * The changes of a fleet as server-sent events: pools that appear (with a description) and end, transitions of workers,
 * counts and state of a pool, its thresholds, the state and the readiness of a model, and the status of the sources.
 */
export function serverSentEvents(pools: Pools, summaries: PoolSummaries): Observable<ServerSentEvent> {
  const pools$ = forEachPool(
    pools,
    (pool) => poolEvents(pool, summaries),
    (pool): ServerSentEvent[] => [{ type: 'pool-gone', data: poolLabel(pool) }],
  );
  return merge(pools$, modelEvents(pools, summaries), sourceStatusEvents(pools));
}

/**
 * The models and adapters whose state or readiness changed, at most once a turn. One that is gone has the state `none`.
 */
function modelEvents(pools: Pools, summaries: PoolSummaries): Observable<ServerSentEvent> {
  const known = new Map<string, string>();
  const changes = (): ServerSentEvent[] => {
    const models = pools.models();
    const gone = [...known.keys()].filter((name) => !models.some((model) => model.name === name));
    const ended = gone.map((name): FleetModel => ({ name, adapterOf: null, pools: [], readiness: [] }));
    return [...models, ...ended].flatMap((model): ServerSentEvent[] => {
      const summary = summarizeModel(model, pools, summaries);
      const text = JSON.stringify([summary.state, summary.readiness]);
      if (known.get(model.name) === text) return [];
      if (ended.includes(model)) known.delete(model.name);
      else known.set(model.name, text);
      return [{ type: 'model', data: summary }];
    });
  };
  return merge(
    pools.changes$,
    pools.modelsChanged$,
    forEachPool(pools, ({ monitor }) => monitor.fleet$),
  ).pipe(auditTime(0, asapScheduler), mergeMap(changes));
}

function poolEvents(pool: Pool, summaries: PoolSummaries): Observable<ServerSentEvent> {
  const label = poolLabel(pool);
  const { transitions$, fleet$, steps$ } = pool.monitor;
  const description$ = defer(() =>
    of<ServerSentEvent>({ type: 'pool', data: summaries.describe(wholePool(pool)) }),
  );
  return merge(
    description$,
    transitions$.pipe(
      tap((transition) => summaries.retryAfterOf(pool).add(transition)),
      map(({ workerId, from, to, busy, at, verdict }): ServerSentEvent => {
        const { reason, text } = verdict;
        return {
          type: 'transition',
          data: { ...label, workerId, from, to, busy, reason, text, at: isoTime(pool.monitor, at) },
        };
      }),
    ),
    fleet$.pipe(
      skip(pool.monitor.snapshot() === undefined ? 0 : 1),
      map((): ServerSentEvent => ({ type: 'fleet', data: summaries.summarize(wholePool(pool)) })),
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
