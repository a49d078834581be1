import type { Observable, SchedulerLike } from 'rxjs';
import type { ActiveLoad, FleetEvent, PoolRole, RuntimeConfig } from '../events/fleet-event.js';
import type { LoadBatch } from '../events/load-batch.js';
import type { LoadPolicy } from '../policy/load-policy.js';
import type { LoadThresholdUpdate } from '../policy/load-thresholds.js';
import type { SourceStatus } from '../sources/source-status.js';
import type { WorkerId } from '../worker-id.js';

/** How a monitor judges and runs. */
export interface MonitorOptions {
  readonly policy: LoadPolicy;
  /** What is known before the first event: marks, and the role of the monitored endpoint. */
  readonly start?: { readonly thresholds?: LoadThresholdUpdate; readonly role?: PoolRole };
  /** Ends the run when it is aborted. */
  readonly signal?: AbortSignal;
  /** Where time comes from; `asyncScheduler` when absent. */
  readonly scheduler?: SchedulerLike;
}

/** All cards at once, or one card that was added, replaced, or (`null`) removed. */
export type ConfigChange =
  | ReadonlyMap<WorkerId, RuntimeConfig>
  | { readonly workerId: WorkerId; readonly config: RuntimeConfig | null };

/** All instances at once, or one that came or went. */
export type InstanceChange =
  ReadonlySet<WorkerId> | readonly WorkerId[] | { readonly workerId: WorkerId; readonly present: boolean };

/** What a monitor takes. Every source is optional and may come late; a source that is absent is not missed. */
export interface MonitorSources {
  readonly configs?: Observable<ConfigChange>;
  /** Loads one by one, or as columns that are valid during the call only. */
  readonly loads?: Observable<ActiveLoad | LoadBatch>;
  readonly decodeInstances?: Observable<InstanceChange>;
  /** A watch on prefill instances, whenever it comes, and the next one. */
  readonly prefillInstances?: Observable<Observable<InstanceChange>>;
  /** Changes of marks. They are checked as the policy checks; a refused one is a problem. */
  readonly thresholds?: Observable<LoadThresholdUpdate>;
  /** Any other event: scheduler loads, marks of the request path, workers reported down. */
  readonly events?: Observable<FleetEvent>;
  /** What the sources say about themselves. */
  readonly status?: readonly Observable<SourceStatus>[];
}
