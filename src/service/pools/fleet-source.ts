import type { Observable } from 'rxjs';
import type { PoolSources } from '../../adapters/etcd/discovery-of.js';
import type { LoadReport } from '../../adapters/nats/load-report.js';
import type { ActiveLoad } from '../../core/active-load.js';
import type { LoadBatch } from '../../core/load-batch.js';
import type { PoolName } from '../../core/pool-name.js';
import type { Problem } from '../../core/problem.js';
import type { SourceStatus } from '../../core/source-status.js';

/** A fleet of several models, as a service takes it in. See {@link liveFleet} and {@link simulatedFleet}. */
export interface FleetSource {
  readonly pools$: Observable<readonly PoolName[]>;
  pool(name: PoolName): PoolSources;
  readonly loads$: Observable<ActiveLoad | LoadBatch>;
  readonly problems$: Observable<Problem>;
  /** What came over the wire, and what did not. */
  readonly accounting$?: Observable<LoadReport>;
  /** One for each source; the service is ready when all of them are live. */
  readonly status: readonly Observable<SourceStatus>[];
}
