import type { Explanation } from '../../core/explanation.js';
import { timeText } from '../events/fleet-news.js';
import type { Pool } from '../pools/pool.js';
import { poolLabel } from '../pools/pool-views.js';
import { whatClears } from './what-clears.js';

/** How a worker stands in a pool: every rank and check, what would make it free, and the whole in sentences. */
export function workerStanding(pool: Pool, explained: Explanation): object {
  return {
    ...poolLabel(pool),
    ...explained,
    since: sinceText(explained.since),
    clears: whatClears(explained),
  };
}

/** Since when a worker is busy. */
export function sinceText(since: number | null): string | null {
  return since === null ? null : timeText(since);
}
