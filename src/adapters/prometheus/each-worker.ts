import type { FleetRanks } from '../../core/fleet-ranks.js';
import type { WorkerId } from '../../core/worker-id.js';
import type { PoolAtScrape } from './pool-at-scrape.js';

/** One worker of one pool. */
export interface WorkerOfPool {
  readonly pool: PoolAtScrape;
  readonly ranks: FleetRanks;
  readonly worker: number;
  readonly workerId: WorkerId;
}

/** The workers of pools, one pool after the other. */
export function* eachWorker(pools: readonly PoolAtScrape[]): Generator<WorkerOfPool> {
  for (const pool of pools) {
    const { ranks } = pool;
    if (ranks === undefined) continue;
    for (let worker = 0; worker < ranks.end; worker += 1) {
      if (ranks.isThere(worker)) yield { pool, ranks, worker, workerId: ranks.workerId(worker) };
    }
  }
}
