import { NEVER, Subscription } from 'rxjs';
import type { Pool, Pools } from '../fleet/pools/pools.js';

/**
 * Makes the pools of a service from one monitor of your own. You connect and stop the monitor.
 *
 * @param sourceCount the number of sources with a status; the service is ready when that many are live
 */
export function givenPool(pool: Pool, sourceCount = 0): Pools {
  return {
    list: () => [pool],
    changes$: NEVER,
    sourceMonitor: pool.monitor,
    sourceCount,
    run: () => new Subscription(),
  };
}
