import type { LoadMonitor } from '../../core/load-monitor/load-monitor.js';
import type { LoadThresholdUpdate } from '../../core/load-thresholds.js';
import type { PoolName } from '../../core/pool-name.js';

/** The workers of one model at one endpoint, judged together by one monitor, under marks of their own. */
export interface Pool {
  readonly name: PoolName;
  readonly monitor: LoadMonitor;
  /** Changes the marks that are given. They hold from the next event on that the policy judges anew. */
  setMarks(change: LoadThresholdUpdate): void;
}
