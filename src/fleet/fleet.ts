import type { Observable } from 'rxjs';
import type { ProcessedEndpoints } from '../core/aggregator/processed-endpoints.js';
import type { ActiveLoad } from '../core/events/fleet-event.js';
import type { LoadBatch } from '../core/events/load-batch.js';
import type { MonitorSources } from '../core/pipeline/monitor-sources.js';
import type { Problem } from '../core/sources/problem.js';
import type { SourceStatus } from '../core/sources/source-status.js';
import type { FleetModel, PoolName, WorkerChange } from '../core/sources/worker-info.js';
import type { PoolMembership } from '../dynamo/discovery/discover-workers.js';
import type { PoolSelector } from '../dynamo/discovery/discovery-fold.js';
import type { AccountingReport } from '../dynamo/loads/load-receiver.js';

/** Some of the workers of a fleet, as streams to compose by hand, and as the sources of a monitor. */
export interface PoolSources<Load = ActiveLoad | LoadBatch> extends PoolMembership {
  /** The loads of the fleet. A monitor judges those of the workers that it knows. */
  readonly loads$: Observable<Load>;
  /**
   * All that `loadMonitor` needs: configs, instances, loads, the problems of the fleet as events, and its statuses. With a
   * `prefillEndpoint` in the options of the fleet, a selection of both roles has the prefill workers as `prefillInstances`.
   */
  readonly sources: Omit<MonitorSources, 'loads'> & { readonly loads: Observable<Load> };
}

/** All models and pools that a process sees. See {@link dynamoFleet}. */
export interface Fleet<Load = ActiveLoad | LoadBatch> {
  /** The pools that have at least one worker with a model card: the list, then again whenever it changes. */
  readonly pools$: Observable<readonly PoolName[]>;
  /** The models and LoRA adapters, with their pools and their readiness: the list, then again whenever it changes. */
  readonly models$: Observable<readonly FleetModel[]>;
  /** The workers of a model or LoRA adapter, of a role, or at an endpoint; all workers when absent, each under its id. */
  pool(selector?: PoolSelector): PoolSources<Load>;
  /** The descriptions of all workers: a snapshot, then changes. */
  readonly workers$: Observable<WorkerChange>;
  /** The loads of all workers. */
  readonly loads$: Observable<Load>;
  /** The accounting of received and missing messages. It emits nothing for a fleet that is scraped. */
  readonly accounting$: Observable<AccountingReport>;
  /** The snapshots of a fleet that is scraped. It emits nothing for any other fleet. */
  readonly endpoints$: Observable<ProcessedEndpoints>;
  /** Messages and keys that could not be decoded, failed scrapes, and packages that are missing. */
  readonly problems$: Observable<Problem>;
  /** The status of each source. */
  readonly status: readonly Observable<SourceStatus>[];
}
