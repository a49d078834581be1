import { merge } from 'rxjs';
import { etcdDiscovery } from '../../adapters/etcd/etcd-discovery.js';
import type { EtcdOptions } from '../../adapters/etcd/etcd-options.js';
import type { NatsAccess } from '../../adapters/nats/nats-access.js';
import { natsLoads } from '../../adapters/nats/nats-loads.js';
import type { FleetSource } from './fleet-source.js';

/** Where a fleet is, and which part of it. */
export interface LiveFleetOptions {
  readonly nats: NatsAccess;
  readonly etcd: EtcdOptions;
  /** Absent: every namespace. */
  readonly namespace?: string;
}

/**
 * A live Dynamo fleet: every model of a namespace, or of all. Nothing is connected before the service runs; each server
 * heals by itself.
 *
 * @throws NatsOptionsError, EtcdOptionsError or ScopeError, when it is called, for options that cannot be followed.
 *
 * @example
 * ```ts no-run
 * import { policies } from 'tidemark';
 * import { monotonicScheduler } from 'tidemark/clock';
 * import { FleetPools, liveFleet, startService } from 'tidemark/service';
 *
 * const fleet = liveFleet({ nats: { servers: 'nats://127.0.0.1:4222' }, etcd: { hosts: 'http://127.0.0.1:2379' } });
 * const marks = { activeDecodeBlocksThreshold: 0.85 };
 * const pools = new FleetPools(fleet, { policy: policies.default, marks, scheduler: monotonicScheduler });
 * const service = await startService({ pools, port: 9420 });
 * process.once('SIGTERM', () => void service.stop());
 * ```
 *
 * @see {@link natsLoads}, {@link etcdDiscovery}
 */
export function liveFleet({ nats, etcd, namespace }: LiveFleetOptions): FleetSource {
  const scope = namespace === undefined ? {} : { namespace };
  const events = natsLoads({ ...nats, ...scope, form: 'columns' });
  const discovery = etcdDiscovery({ ...etcd, ...scope });
  return {
    pools$: discovery.pools$,
    pool: (name) => discovery.pool(name),
    loads$: events.loads$,
    accounting$: events.accounting$,
    problems$: merge(events.problems$, discovery.problems$),
    status: [events.status$, discovery.status$],
  };
}
