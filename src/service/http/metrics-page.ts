import { EMPTY, filter, ignoreElements, merge, tap, type Observable } from 'rxjs';
import { poolMetrics, type PoolMetrics } from '../../adapters/prometheus/pool-metrics.js';
import { forEachPool, type Pool, type Pools } from '../../fleet/pools/pools.js';
import { poolLabel } from '../queries/pool-summary.js';

const MAX_LABEL_LENGTH = 256;

/**
 * The metrics of the page `/metrics`. The labels of a pool are its model, its role and, as `pool`, its endpoint. The
 * sources belong to no pool: these labels are empty.
 */
export class MetricsPage {
  private readonly known = new Map<Pool, PoolMetrics>();
  private readonly sourceMetrics: PoolMetrics | null;

  constructor(private readonly pools: Pools) {
    const { sourceMonitor: sourceMetrics, accounting$ } = pools;
    const isPool = pools.list().some(({ monitor }) => monitor === sourceMetrics);
    const labels = { model: '', pool: '', role: '' };
    this.sourceMetrics = isPool
      ? null
      : poolMetrics(sourceMetrics, { labels, ...(accounting$ && { accounting$ }) });
  }

  /** The metrics of the sources and of all present pools. */
  metrics(): readonly PoolMetrics[] {
    return [
      ...(this.sourceMetrics === null ? [] : [this.sourceMetrics]),
      ...this.pools.list().map((pool) => this.of(pool)),
    ];
  }

  /** Counts transitions and problems while it is subscribed. It emits nothing. */
  countEvents(): Observable<never> {
    const forgotten$ = this.pools.changes$.pipe(
      filter(({ present }) => !present),
      tap(({ pool }) => this.known.delete(pool)),
      ignoreElements(),
    );
    const pools$ = forEachPool(this.pools, (pool) => this.of(pool).counting$);
    return merge(this.sourceMetrics?.counting$ ?? EMPTY, forgotten$, pools$);
  }

  private of(pool: Pool): PoolMetrics {
    const { model, role, endpoint } = poolLabel(pool);
    const labels = {
      model: model.slice(0, MAX_LABEL_LENGTH),
      pool: endpoint.slice(0, MAX_LABEL_LENGTH),
      role,
    };
    const known = this.known.get(pool) ?? poolMetrics(pool.monitor, { labels });
    this.known.set(pool, known);
    return known;
  }
}
