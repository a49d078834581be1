import type { Family } from './family.js';
import { latencyFamilies } from './latency-families.js';
import { legacyFamilies } from './legacy-families.js';
import { loadFamilies } from './load-families.js';
import { poolFamilies } from './pool-families.js';
import type { PoolMetrics } from './pool-metrics.js';
import { tidemarkFamilies } from './tidemark-families.js';

/** What some pools tell, in the order of a page. */
export function familiesOf(pools: readonly PoolMetrics[]): readonly Family[] {
  return [
    ...loadFamilies,
    ...(pools.some(({ latencies }) => latencies !== undefined) ? latencyFamilies : []),
    ...poolFamilies,
    ...tidemarkFamilies,
    ...(pools.some(({ legacy }) => legacy !== undefined) ? legacyFamilies : []),
  ];
}
