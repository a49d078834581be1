import type { SchedulerLike } from 'rxjs';
import type { AbortSignalLike } from '../abort-signal-like.js';
import type { FleetSource } from '../fleet-event.js';
import type { LoadPolicy } from '../load-policy.js';
import type { LoadThresholdUpdate } from '../load-thresholds.js';

/** How a monitor judges and runs. */
export interface MonitorOptions {
  readonly policy: LoadPolicy;
  /** What is known before the first event: marks, and the role of the monitored endpoint. */
  readonly start?: { readonly thresholds?: LoadThresholdUpdate; readonly source?: FleetSource };
  /** Ends the run when it is aborted. */
  readonly signal?: AbortSignalLike;
  /** Where time comes from; `asyncScheduler` when absent. */
  readonly scheduler?: SchedulerLike;
}
