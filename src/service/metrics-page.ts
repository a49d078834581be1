import { concat, defer, filter, from, merge, mergeMap, takeUntil, type Observable } from 'rxjs';
import { poolMetrics, type PoolMetrics } from '../adapters/prometheus/pool-metrics.js';
import type { Pool } from './pools/pool.js';
import { poolLabel } from './pools/pool-views.js';
import type { PoolChange, Pools } from './pools/pools.js';

const LONGEST_LABEL = 256;

/**
 * What the page of metrics is made of: each pool under its model and, as `pool`, its endpoint, and under empty ones the sources, which
 * are no pool's.
 */
export class MetricsPage {
  private readonly known = new Map<Pool, PoolMetrics>();
  private readonly sources: PoolMetrics | null;

  constructor(private readonly pools: Pools) {
    const { sources, accounting$ } = pools;
    const isPool = pools.list().some(({ monitor }) => monitor === sources);
    const labels = { model: '', pool: '' };
    this.sources = isPool ? null : poolMetrics(sources, { labels, ...(accounting$ && { accounting$ }) });
  }

  /** All that is served now. */
  metrics(): readonly PoolMetrics[] {
    return [
      ...(this.sources === null ? [] : [this.sources]),
      ...this.pools.list().map((pool) => this.of(pool)),
    ];
  }

  /** Counts transitions and problems while it is subscribed to; it emits nothing. */
  counting(): Observable<never> {
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
    return this.sources === null ? pools$ : merge(this.sources.counting$, pools$);
  }

  private of(pool: Pool): PoolMetrics {
    const { model, endpoint } = poolLabel(pool);
    const labels = { model: model.slice(0, LONGEST_LABEL), pool: endpoint.slice(0, LONGEST_LABEL) };
    const known = this.known.get(pool) ?? poolMetrics(pool.monitor, { labels });
    this.known.set(pool, known);
    return known;
  }
}
