import { map, merge, type Observable } from 'rxjs';
import type { AccountingReport, LoadForm } from '../adapters/nats/load-receiver.js';
import { natsLoads, type LoadRelease, type NatsLoads } from '../adapters/nats/nats-loads.js';
import { toNatsConnectionOptions, type NatsConnectionOptions } from '../adapters/nats/nats-options.js';
import type { FleetEvent, LoadReceived } from '../core/events/fleet-event.js';
import type { LoadBatch } from '../core/events/load-batch.js';
import type { ConfigChange, InstanceChange, MonitorSources } from '../core/pipeline/monitor-sources.js';
import type { SourceStatus } from '../core/sources/source-status.js';
import type { WorkerChange } from '../core/sources/worker-info.js';
import { parseEndpoint, type EndpointLike } from '../wire/endpoint-names.js';
import { discoverySources, type FleetScope } from './discovery-sources.js';

/** The options of {@link dynamoSources}. */
export interface DynamoSourcesOptions extends FleetScope {
  /** The NATS servers, or an existing connection; a string is a comma-separated list of servers. */
  readonly nats: string | NatsConnectionOptions;
  /** The endpoint whose workers are judged together. Absent: all workers, each under its id. */
  readonly endpoint?: EndpointLike;
  /** Accept only messages of this release. Absent: all. */
  readonly release?: LoadRelease;
  /** `columns` (fast) when absent. `objects` also have the publisher, the sequence number and the time of each load. */
  readonly form?: LoadForm;
}

/** The result of {@link dynamoSources}: the sources of a monitor, and more about the fleet. */
export interface DynamoSources<Load extends LoadReceived | LoadBatch = LoadBatch> extends MonitorSources {
  readonly loads: Observable<Load>;
  readonly configs: Observable<ConfigChange>;
  readonly decodeInstances: Observable<InstanceChange>;
  readonly events: Observable<FleetEvent>;
  readonly status: readonly [loads: Observable<SourceStatus>, discovery: Observable<SourceStatus>];
  /** The accounting of received and missing messages. */
  readonly accounting$: Observable<AccountingReport>;
  /** The identities of the workers. */
  readonly workers$: Observable<WorkerChange>;
}

/**
 * A live Dynamo fleet as the sources of a monitor: loads from NATS, configs and instances from etcd.
 *
 * 1. It connects when the monitor does, and reconnects to each server independently. While a server is unreachable, its last
 *    values are kept. The status says since when they are stale, why, and when the next attempt follows.
 * 2. With an `endpoint`, only its configs and instances are used: one id may serve two endpoints, and each pool has its own
 *    monitor. Without one, every worker that discovery knows is used, under its id.
 * 3. Messages and records that cannot be read become events, so that the monitor reports them as problems.
 * 4. Loads are columns, or objects if `form` says so. Objects also have the publisher, the sequence number and the time.
 *
 * @throws NatsOptionsError, EtcdOptionsError, EndpointNameError or ScopeError, synchronously, for invalid options.
 *
 * @example
 * ```ts no-run
 * import { loadMonitor, policies } from 'tidemark';
 * import { dynamoSources } from 'tidemark/dynamo';
 *
 * const sources = dynamoSources({
 *   nats: 'nats://127.0.0.1:4222',
 *   etcd: 'http://127.0.0.1:2379',
 *   namespace: 'dynamo',
 *   endpoint: 'backend.generate',
 * });
 * const thresholds = { activeDecodeBlocksThreshold: 0.85 };
 * const monitor = loadMonitor(sources, { policy: policies['dynamo-1.6'], thresholds });
 * monitor.transitions$.subscribe(({ verdict }) => console.log(verdict.text));
 * monitor.status$.subscribe((statuses) => console.log(statuses));
 * monitor.connect();
 * ```
 *
 * @see {@link natsLoads}, {@link etcdDiscovery}, {@link loadMonitor}
 */
export function dynamoSources(
  options: DynamoSourcesOptions & { readonly form: 'objects' },
): DynamoSources<LoadReceived>;
export function dynamoSources(options: DynamoSourcesOptions & { readonly form?: 'columns' }): DynamoSources;
export function dynamoSources(options: DynamoSourcesOptions): DynamoSources<LoadReceived | LoadBatch>;
export function dynamoSources(options: DynamoSourcesOptions): DynamoSources<LoadReceived | LoadBatch> {
  const { namespace, release } = options;
  const nats = toNatsConnectionOptions(options.nats);
  const endpoint = options.endpoint === undefined ? null : parseEndpoint(options.endpoint, namespace);
  const loadOptions = {
    ...nats,
    ...(namespace !== undefined && { namespace }),
    ...(endpoint !== null && { endpoint }),
    ...(release !== undefined && { release }),
  };
  const events: NatsLoads<LoadReceived | LoadBatch> =
    options.form === 'objects'
      ? natsLoads({ ...loadOptions, form: 'objects' })
      : natsLoads({ ...loadOptions, form: 'columns' });
  const fleet = discoverySources(options, endpoint);
  return {
    ...fleet.sources,
    loads: events.loads$,
    events: merge(events.problems$, fleet.problems$).pipe(map((problem) => ({ kind: 'problem', problem }))),
    status: [events.status$, fleet.status$],
    accounting$: events.accounting$,
    workers$: fleet.workers$,
  };
}
