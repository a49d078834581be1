import { NEVER } from 'rxjs';
import { policies } from '../core/policy/policies.js';
import type { LoadThresholds } from '../core/policy/load-thresholds.js';
import type { Pool, Pools } from '../fleet/pools/pools.js';
import { ThresholdBook } from '../fleet/thresholds/threshold-book.js';
import { PoolThresholds } from '../fleet/thresholds/pool-thresholds.js';

/**
 * Makes the pools of a service from one monitor of your own. You connect and stop the monitor. When thresholds are set
 * over HTTP, the pool gets those that differ, and a worker all of its own. Without thresholds of its own, a pool gets back
 * those that were in force before.
 *
 * @param sourceCount the number of sources with a status; the service is ready when that many are live
 */
export function givenPool(pool: Pool, sourceCount = 0): Pools {
  const { defaultThresholds } = policies.default;
  let initial: LoadThresholds | undefined;
  const book = new ThresholdBook({
    policy: policies.default,
    get thresholds() {
      return (initial ??= pool.monitor.snapshot()?.thresholds) ?? defaultThresholds;
    },
  });
  return {
    list: () => [pool],
    book,
    isListed: true,
    models: () => [{ name: pool.name.model, adapterOf: null, pools: [pool.name], readiness: [] }],
    modelsChanged$: NEVER,
    carriersOf: () => new Set(),
    changes$: NEVER,
    sourceMonitor: pool.monitor,
    sourceCount,
    run: () => {
      const thresholds = new PoolThresholds(
        book,
        pool.name,
        () => initial ?? defaultThresholds,
        (change, workerId) => pool.setThresholds(change, workerId),
      );
      return book.changes$.subscribe({
        next: ({ target }) => thresholds.apply(target),
        // A book never errors.
        error: () => undefined,
      });
    },
  };
}
