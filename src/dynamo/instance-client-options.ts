import type { SchedulerLike } from 'rxjs';
import type { ClientPolicy } from './client-policy.js';

/** By which rules an instance client goes, and where its time comes from. */
export interface InstanceClientOptions {
  /** The rules; `clientPolicies.default` when absent. */
  readonly policy?: ClientPolicy;
  /**
   * After how many milliseconds without a change of the instances everybody who was reported down is routable again;
   * 5000 when absent. `0` turns that off, and reports with it.
   */
  readonly inhibitedDurationMs?: number;
  /** Where time comes from; `asyncScheduler` when absent. */
  readonly scheduler?: SchedulerLike;
}
