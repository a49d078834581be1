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
 * The models and adapters whose state or readiness changed, at most once a turn. One that is gone has the state `none`. A
 * change of a pool costs as much as its model and the adapters of that model.
 */
function modelEvents(pools: Pools, summaries: PoolSummaries): Observable<ServerSentEvent> {
  const known = new Map<string, string>();
  /** The models whose pools changed in this turn; `null`: all, because models came or went. */
  let changed: Set<string> | null = null;
  const event = (model: FleetModel): ServerSentEvent[] => {
    const summary = summarizeModel(model, pools, summaries);
    const text = JSON.stringify([summary.state, summary.readiness]);
    if (known.get(model.name) === text) return [];
    known.set(model.name, text);
    return [{ type: 'model', data: summary }];
  };
  const takeChanges = (): ServerSentEvent[] => {
    const names = changed;
    changed = new Set();
    const models = pools.models();
    if (names !== null)
      return models
        .filter(({ name, adapterOf }) => names.has(name) || (adapterOf !== null && names.has(adapterOf)))
        .flatMap(event);
    const present = new Set(models.map(({ name }) => name));
    const ended = [...known.keys()].filter((name) => !present.has(name));
    const events = [...models, ...ended.map(modelWithoutPools)].flatMap(event);
    for (const name of ended) known.delete(name);
    return events;
  };
  return merge(
    merge(pools.changes$, pools.modelsChanged$).pipe(tap(() => (changed = null))),
    forEachPool(pools, ({ name, monitor }) => monitor.fleet$.pipe(tap(() => changed?.add(name.model)))),
  ).pipe(auditTime(0, asapScheduler), mergeMap(takeChanges));
}

function modelWithoutPools(name: string): FleetModel {
  return { name, adapterOf: null, pools: [], readiness: [] };
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
