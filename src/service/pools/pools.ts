import { NEVER, type Observable, Subscription } from 'rxjs';
import type { AccountingReport } from '../../adapters/nats/load-receiver.js';
import type { LoadMonitor } from '../../core/pipeline/load-monitor.js';
import type { LoadThresholdUpdate } from '../../core/policy/load-thresholds.js';
import type { PoolName } from '../../core/sources/worker-info.js';

/** The workers of one model at one endpoint, judged together by one monitor, under marks of their own. */
export interface Pool {
  readonly name: PoolName;
  readonly monitor: LoadMonitor;
  /** Changes the marks that are given. They hold from the next event on that the policy judges anew. */
  setThresholds(change: LoadThresholdUpdate): void;
}

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
  readonly sourceMonitor: LoadMonitor;
  /** What came over the wire, and what did not. */
  readonly accounting$?: Observable<AccountingReport>;
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
    sourceMonitor: pool.monitor,
    sourceCount,
    run: () => new Subscription(),
  };
}
