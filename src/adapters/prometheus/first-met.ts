import type { PoolAtScrape } from './pool-at-scrape.js';

/**
 * Tells whether a key is met for the first time, for series that say nothing of pools: a worker that is in several is
 * told by the first. With one pool no key comes twice.
 */
export function firstMet(pools: readonly PoolAtScrape[]): (key: string) => boolean {
  if (pools.length < 2) return () => true;
  const met = new Set<string>();
  return (key) => met.size < met.add(key).size;
}
