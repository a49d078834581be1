import { type Observable, merge } from 'rxjs';
import type { PoolSources } from '../../adapters/etcd/discovery.js';
import { etcdDiscovery } from '../../adapters/etcd/etcd-discovery.js';
import { type EtcdOptions, toEtcdOptions } from '../../adapters/etcd/etcd-options.js';
import type { AccountingReport, LoadForm } from '../../adapters/nats/load-receiver.js';
import { natsLoads } from '../../adapters/nats/nats-loads.js';
import { type NatsConnectionOptions, toNatsConnectionOptions } from '../../adapters/nats/nats-options.js';
import type { ActiveLoad } from '../../core/events/fleet-event.js';
import type { LoadBatch } from '../../core/events/load-batch.js';
import { validatedElsewhere } from '../../core/option-problems.js';
import type { Problem } from '../../core/sources/problem.js';
import type { SourceStatus } from '../../core/sources/source-status.js';
import type { PoolName } from '../../core/sources/worker-info.js';
import { requireFleetOptions } from '../../dynamo/discovery-sources.js';

/** A fleet of several models, as the input of {@link FleetPools}. See {@link liveFleet}. */
export interface Fleet {
  readonly pools$: Observable<readonly PoolName[]>;
  pool(name: PoolName): PoolSources;
  readonly loads$: Observable<ActiveLoad | LoadBatch>;
  readonly problems$: Observable<Problem>;
  /** The accounting of received and missing messages. */
  readonly accounting$?: Observable<AccountingReport>;
  /** The status of each source. The service is ready when all of them are live. */
  readonly status: readonly Observable<SourceStatus>[];
}

/** Where a fleet is, and which namespace of it to watch. */
export interface LiveFleetOptions {
  /** The NATS servers, or an existing connection; a string is a comma-separated list of servers. */
  readonly nats: string | NatsConnectionOptions;
  /** The hosts and credentials of etcd; a string is a comma-separated list of hosts. */
  readonly etcd: string | EtcdOptions;
  /** Absent: every namespace. */
  readonly namespace?: string;
  /** Defaults to `objects`. `columns` cost less, and can be read only during the call: nothing may delay `loads$`. */
  readonly form?: LoadForm;
}

/**
 * A live Dynamo fleet: every model of one namespace, or of all. It connects when the service runs, and reconnects to each
 * server independently.
 *
 * @throws NatsOptionsError, EtcdOptionsError or ScopeError, synchronously, for invalid options. TidemarkError, code
 *   `fleet-options`, for options that do not exist.
 *
 * @example
 * ```ts no-run
 * import { policies } from 'tidemark';
 * import { monotonicScheduler } from 'tidemark/clock';
 * import { FleetPools, liveFleet, startService } from 'tidemark/service';
 *
 * const fleet = liveFleet({ nats: 'nats://127.0.0.1:4222', etcd: 'http://127.0.0.1:2379' });
 * const thresholds = { activeDecodeBlocksThreshold: 0.85 };
 * const pools = new FleetPools(fleet, { policy: policies.default, thresholds, scheduler: monotonicScheduler });
 * const service = await startService({ pools, port: 9420 });
 * process.once('SIGTERM', () => void service.stop());
 * ```
 *
 * @see {@link natsLoads}, {@link etcdDiscovery}
 */
export function liveFleet(options: LiveFleetOptions): Fleet {
  requireFleetOptions('liveFleet', options, {
    nats: validatedElsewhere,
    etcd: validatedElsewhere,
    namespace: validatedElsewhere,
    form: validatedElsewhere,
  });
  const { nats, etcd, namespace, form } = options;
  const scope = namespace === undefined ? {} : { namespace };
  const events = natsLoads({
    ...toNatsConnectionOptions(nats),
    ...scope,
    ...(form !== undefined && { form }),
  });
  const discovery = etcdDiscovery({ ...toEtcdOptions(etcd), ...scope });
  return {
    pools$: discovery.pools$,
    pool: (name) => discovery.pool(name),
    loads$: events.loads$,
    accounting$: events.accounting$,
    problems$: merge(events.problems$, discovery.problems$),
    status: [events.status$, discovery.status$],
  };
}
