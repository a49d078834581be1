import type { Observable } from 'rxjs';
import type { ActiveLoad } from '../active-load.js';
import type { FleetEvent } from '../fleet-event.js';
import type { LoadBatch } from '../load-batch.js';
import type { LoadThresholdUpdate } from '../load-thresholds.js';
import type { RuntimeConfig } from '../runtime-config.js';
import type { SourceStatus } from '../source-status.js';
import type { WorkerId } from '../worker-id.js';

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
