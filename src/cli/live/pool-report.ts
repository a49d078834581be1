import { type Observable, ignoreElements, merge, tap } from 'rxjs';
import type { WorkerId } from '../../core/worker-id.js';
import { type Pool, type Pools, busyWorkers, forEachPool } from '../../fleet/pools/pools.js';
import type { LiveReport } from '../live-report.js';

/** Reports what happens in the pools of a fleet: each transition, and each problem of a pool or of the sources. */
export class PoolReport {
  transitions = 0;
  /** The busy workers of all pools. */
  busy: readonly WorkerId[] = [];

  constructor(
    private readonly pools: Pools,
    private readonly report: Pick<LiveReport, 'problem' | 'transition'>,
  ) {}

  /** The busy workers in words. Without a value to compare with a threshold, no worker is judged, and none is free either. */
  get busyText(): string {
    const { busy } = this;
    if (busy.length > 0) return `busy: ${busy.join(', ')}`;
    return this.pools.list().some(isJudging) ? 'no worker is busy' : 'no worker is judged';
  }

  /** Reports while it is subscribed. It emits nothing. */
  run(): Observable<never> {
    const { pools, report } = this;
    return merge(
      busyWorkers(pools).pipe(tap((set) => (this.busy = [...set]))),
      merge(
        pools.sourceMonitor.problems$,
        forEachPool(pools, ({ monitor }) => monitor.problems$),
      ).pipe(
        tap((problem) => {
          // A failing scrape is also a status.
          if (problem.code !== 'scrape-failed') report.problem(problem);
        }),
      ),
      forEachPool(pools, ({ monitor }) => monitor.transitions$).pipe(
        tap((transition) => {
          this.transitions += 1;
          report.transition(transition);
        }),
      ),
    ).pipe(ignoreElements());
  }
}

/** Whether a threshold is compared with a value of any rank of a pool. */
function isJudging({ monitor }: Pool): boolean {
  const workers = monitor.ranks()?.workers ?? [];
  return workers.some(({ workerId }) =>
    monitor.explain(workerId)?.ranks.some(({ checks }) => checks.some(({ limit }) => limit !== null)),
  );
}
