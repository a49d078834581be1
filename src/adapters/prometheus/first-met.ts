import type { WorkerType } from '../../core/cleanup.js';
import type { WorkerId } from '../../core/worker-id.js';
import type { PoolAtScrape } from './pool-at-scrape.js';

/**
 * Tells whether the labels of a series are met for the first time, for series that say nothing of pools: a worker that
 * is in several is told by the first. With one pool none comes twice, and no key is made.
 */
export function firstMet(
  pools: readonly PoolAtScrape[],
): (workerId: WorkerId, workerType: WorkerType, dpRank?: string) => boolean {
  if (pools.length < 2) return () => true;
  const met = new Set<string>();
  return (workerId, workerType, dpRank = '') =>
    met.size < met.add(`${dpRank} ${workerType} ${workerId}`).size;
}
