import { NEVER, Subscription, type Observable } from 'rxjs';
import type { LoadReport } from '../../adapters/nats/load-report.js';
import type { LoadMonitor } from '../../core/load-monitor/load-monitor.js';
import type { Pool } from './pool.js';

/** One pool that came or went. */
export interface PoolChange {
  readonly pool: Pool;
  readonly present: boolean;
}

/** The pools that a service serves, and the sources they live on. */
export interface Pools {
  /** In the order in which they came. */
  list(): readonly Pool[];
  readonly changes$: Observable<PoolChange>;
  /** The monitor that knows how the sources are, and what was wrong with them. It may be that of a pool. */
  readonly sources: LoadMonitor;
  /** What came over the wire, and what did not. */
  readonly accounting$?: Observable<LoadReport>;
  /** How many sources have to be live for the service to be ready. */
  readonly sourceCount: number;
  /** Watches until the subscription is ended. */
  run(): Subscription;
}

/**
 * One monitor of the user's own as the pools of a service. Who connected it also stops it.
 *
 * @param sourceCount how many statuses its sources give; the service is ready when so many of them are live
 */
export function givenPool(pool: Pool, sourceCount = 0): Pools {
  return {
    list: () => [pool],
    changes$: NEVER,
    sources: pool.monitor,
    sourceCount,
    run: () => new Subscription(),
  };
}
