import {
  type Observable,
  type Subscription,
  concat,
  defer,
  filter,
  from,
  map,
  mergeMap,
  takeUntil,
} from 'rxjs';
import type { AccountingReport } from '../../dynamo/loads/load-receiver.js';
import type { LoadMonitor } from '../../core/pipeline/load-monitor.js';
import type { LoadThresholdUpdate } from '../../core/policy/load-thresholds.js';
import type { Problem } from '../../core/sources/problem.js';
import type { FleetModel, PoolName } from '../../core/sources/worker-info.js';
import type { WorkerId } from '../../core/worker-id.js';
import type { ThresholdBook } from '../thresholds/threshold-book.js';

/** The workers of one model at one endpoint, judged together by one monitor with its own thresholds. */
export interface Pool {
  readonly name: PoolName;
  readonly monitor: LoadMonitor;
  /**
   * Puts thresholds of the book of the pools in force. To change thresholds, use the book. The policy decides when they
   * take effect: at once, or with the next judged event. Refused thresholds are a problem of the monitor, and nothing
   * changes.
   *
   * @param workerId a worker, whose own thresholds they replace; those that are absent are the pool's
   */
  setThresholds(change: LoadThresholdUpdate, workerId?: WorkerId): void;
}

/** A pool that appeared or ended. */
export interface PoolChange {
  readonly pool: Pool;
  readonly present: boolean;
}

/** The pools that a service serves, and the state of their sources. */
export interface Pools {
  /** The present pools, in the order in which they appeared. */
  list(): readonly Pool[];
  /** The thresholds that were set. A change is put in force in every pool to which it applies. */
  readonly book: ThresholdBook;
  /** Whether discovery has listed the workers. Before that, nothing is known about who is present. */
  readonly isListed: boolean;
  /** The models and LoRA adapters that are present. */
  models(): readonly FleetModel[];
  /** Emits after `models()` has changed. */
  readonly modelsChanged$: Observable<unknown>;
  /** The workers that carry the model card of an adapter. */
  carriersOf(adapter: string): ReadonlySet<WorkerId>;
  /** Adds a recoverable problem to those of the sources. */
  report?(problem: Problem): void;
  /** Emits when a pool appears or ends. */
  readonly changes$: Observable<PoolChange>;
  /** The monitor that reports the status and the problems of the sources. It may be the monitor of a pool. */
  readonly sourceMonitor: LoadMonitor;
  /** The accounting of received and missing messages. */
  readonly accounting$?: Observable<AccountingReport>;
  /** The number of sources that must be live for the service to be ready. */
  readonly sourceCount: number;
  /** Starts watching. Unsubscribe to stop. */
  run(): Subscription;
}

/**
 * Subscribes to the output of each pool from the moment it appears, or now if it is present, until it ends. `onEnd` adds
 * an output for a pool that ends.
 */
export function forEachPool<T>(
  pools: Pools,
  output: (pool: Pool) => Observable<T>,
  onEnd: (pool: Pool) => readonly T[] = () => [],
): Observable<T> {
  const present$ = defer(() => from(pools.list().map((pool): PoolChange => ({ pool, present: true }))));
  return concat(present$, pools.changes$).pipe(
    mergeMap(({ pool, present }) => {
      if (!present) return onEnd(pool);
      const ended$ = pools.changes$.pipe(filter((change) => change.pool === pool && !change.present));
      return output(pool).pipe(takeUntil(ended$));
    }),
  );
}

/** The busy workers of all pools together, whenever the busy set of a pool changes. */
export function busyWorkers(pools: Pools): Observable<ReadonlySet<WorkerId>> {
  return defer(() => {
    const byPool = new Map<Pool, readonly WorkerId[]>();
    return forEachPool<readonly [Pool, readonly WorkerId[]]>(
      pools,
      (pool) => pool.monitor.busy$.pipe(map(({ ids }) => [pool, ids] as const)),
      (pool) => [[pool, []]],
    ).pipe(
      map(([pool, ids]) => {
        if (ids.length > 0) byPool.set(pool, ids);
        else byPool.delete(pool);
        return new Set([...byPool.values()].flat());
      }),
    );
  });
}
