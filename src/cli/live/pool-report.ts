import { type Observable, ignoreElements, merge, tap } from 'rxjs';
import type { LoadCheck } from '../../core/judgement/rank-checks.js';
import type { LoadMonitor } from '../../core/pipeline/load-monitor.js';
import type { LoadThresholds } from '../../core/policy/load-thresholds.js';
import type { WorkerId } from '../../core/worker-id.js';
import { type Pools, busyWorkers, forEachPool } from '../../fleet/pools/pools.js';
import { poolLabel } from '../../service/queries/pool-summary.js';
import { type LiveReport, busyText, isNews } from '../live-report.js';

/** Reports what happens in the pools of a fleet: each transition, and each problem of a pool or of the sources. */
export class PoolReport {
  /** How often a worker became busy, was no longer busy, or could no longer be judged. */
  transitions = 0;
  /** The busy workers of all pools. */
  busy: readonly WorkerId[] = [];
  private judged = false;

  constructor(
    private readonly pools: Pools,
    private readonly report: Pick<LiveReport, 'problem' | 'transition'>,
  ) {}

  /**
   * The thresholds that are set in a pool with workers, but are compared with no value of any rank: they judge nothing. The
   * reason may be a policy of another release, or that no load has arrived.
   */
  get unusedThresholds(): readonly ThresholdName[] {
    const used = this.pools.list().map(({ monitor }) => usedThresholds(monitor));
    return thresholdNames.filter((name) => used.some((state) => state.get(name) === false));
  }

  /** Whether a worker was judged at any time: a value of it was compared with a threshold, or it was busy. */
  get hasJudged(): boolean {
    return (this.judged ||= this.isJudging);
  }

  /** The busy workers in words, and the thresholds that judge nothing. Nothing is said about who is free without evidence. */
  get text(): string {
    const { busy, unusedThresholds } = this;
    const unused =
      unusedThresholds.length === 0 ? '' : `; no value is compared with ${unusedThresholds.join(', ')}`;
    return busyText(busy, this.isJudging) + unused;
  }

  private get isJudging(): boolean {
    return this.pools.list().some(({ monitor }) => [...usedThresholds(monitor).values()].includes(true));
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
      forEachPool(pools, (pool) =>
        pool.monitor.transitions$.pipe(
          tap((transition) => {
            this.judged ||= transition.to !== 'unknown';
            if (isNews(transition)) this.transitions += 1;
            report.transition(poolLabel(pool), transition);
          }),
        ),
      ),
    ).pipe(ignoreElements());
  }
}

const thresholdOfCheck = {
  activeDecodeBlocks: 'activeDecodeBlocksThreshold',
  kvUsedBlocks: 'activeDecodeBlocksThreshold',
  latch: 'activeDecodeBlocksThreshold',
  activePrefillTokens: 'activePrefillTokensThreshold',
  activePrefillTokensFrac: 'activePrefillTokensThresholdFrac',
} as const satisfies Record<LoadCheck, keyof LoadThresholds>;

type ThresholdName = (typeof thresholdOfCheck)[LoadCheck];

const thresholdNames = [...new Set(Object.values(thresholdOfCheck))];

/** For each threshold that is set in a pool with workers, whether it is compared with a value of any rank. */
function usedThresholds(monitor: LoadMonitor): Map<ThresholdName, boolean> {
  const used = new Map<ThresholdName, boolean>();
  const { workers, thresholds } = monitor.ranks() ?? { workers: [] };
  if (thresholds === undefined || workers.length === 0) return used;
  for (const name of thresholdNames) if (thresholds[name] !== null) used.set(name, false);
  for (const { workerId } of workers) {
    for (const { checks } of monitor.explain(workerId)?.ranks ?? [])
      for (const { check, limit } of checks) if (limit !== null) used.set(thresholdOfCheck[check], true);
  }
  return used;
}
