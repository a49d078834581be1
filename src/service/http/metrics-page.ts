import { concat, defer, filter, from, merge, mergeMap, takeUntil, type Observable } from 'rxjs';
import { poolMetrics, type PoolMetrics } from '../../adapters/prometheus/pool-metrics.js';
import type { Pool, PoolChange, Pools } from '../pools/pools.js';
import { poolLabel } from '../queries/pool-summary.js';

const MAX_LABEL_LENGTH = 256;

/**
 * What the page of metrics is made of: each pool under its model and, as `pool`, its endpoint, and under empty ones the sources, which
 * are no pool's.
 */
export class MetricsPage {
  private readonly known = new Map<Pool, PoolMetrics>();
  private readonly sourceMetrics: PoolMetrics | null;

  constructor(private readonly pools: Pools) {
    const { sourceMonitor: sourceMetrics, accounting$ } = pools;
    const isPool = pools.list().some(({ monitor }) => monitor === sourceMetrics);
    const labels = { model: '', pool: '' };
    this.sourceMetrics = isPool
      ? null
      : poolMetrics(sourceMetrics, { labels, ...(accounting$ && { accounting$ }) });
  }

  /** All that is served now. */
  metrics(): readonly PoolMetrics[] {
    return [
      ...(this.sourceMetrics === null ? [] : [this.sourceMetrics]),
      ...this.pools.list().map((pool) => this.of(pool)),
    ];
  }

  /** Counts transitions and problems while it is subscribed to; it emits nothing. */
  countEvents(): Observable<never> {
    const present$ = defer(() =>
      from(this.pools.list().map((pool): PoolChange => ({ pool, present: true }))),
    );
    const pools$ = concat(present$, this.pools.changes$).pipe(
      filter(({ pool, present }) => {
        if (!present) this.known.delete(pool);
        return present;
      }),
      mergeMap(({ pool }) => {
        const gone$ = this.pools.changes$.pipe(filter((change) => change.pool === pool && !change.present));
        return this.of(pool).counting$.pipe(takeUntil(gone$));
      }),
    );
    return this.sourceMetrics === null ? pools$ : merge(this.sourceMetrics.counting$, pools$);
  }

  private of(pool: Pool): PoolMetrics {
    const { model, endpoint } = poolLabel(pool);
    const labels = { model: model.slice(0, MAX_LABEL_LENGTH), pool: endpoint.slice(0, MAX_LABEL_LENGTH) };
    const known = this.known.get(pool) ?? poolMetrics(pool.monitor, { labels });
    this.known.set(pool, known);
    return known;
  }
}
