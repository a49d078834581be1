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

/** A fleet, and which part of it. */
export interface DynamoSourcesOptions extends FleetScope {
  /** The servers, or a connection that is there already; a text is the servers. */
  readonly nats: string | NatsConnectionOptions;
  /** The endpoint whose workers are judged together. Absent: all workers, each under its id. */
  readonly endpoint?: EndpointLike;
  /** Only what this release publishes. Absent: all. */
  readonly release?: LoadRelease;
  /** `columns` when absent: the fast form. `objects` say besides who published each, as which number, and when. */
  readonly form?: LoadForm;
}

/** What {@link dynamoSources} returns: what a monitor takes, and what else is known of the fleet. */
export interface DynamoSources<Load extends LoadReceived | LoadBatch = LoadBatch> extends MonitorSources {
  readonly loads: Observable<Load>;
  readonly configs: Observable<ConfigChange>;
  readonly decodeInstances: Observable<InstanceChange>;
  readonly events: Observable<FleetEvent>;
  readonly status: readonly [loads: Observable<SourceStatus>, discovery: Observable<SourceStatus>];
  /** What came over NATS, and what did not. */
  readonly accounting$: Observable<AccountingReport>;
  /** Who the workers are. */
  readonly workers$: Observable<WorkerChange>;
}

/**
 * A live Dynamo fleet as the sources of a monitor: loads from NATS, cards and instances from etcd.
 *
 * 1. Nothing is connected before the monitor is. Each server heals by itself; while one is away, what it last said
 *    stays, and its status says since when it is not renewed, why, and when it is tried again.
 * 2. With an `endpoint`, only its cards and its instances count: one id may serve two endpoints, and each pool has a
 *    monitor of its own. Without, every worker that discovery knows counts, under its id.
 * 3. Messages and records that cannot be read come as events, so that the monitor tells them among its problems.
 * 4. Loads come as columns, or as objects where that is asked for: then each also has its publisher, number and time.
 *
 * @throws NatsOptionsError, EtcdOptionsError, EndpointNameError or ScopeError, when it is called, for options that
 *   cannot be followed.
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
 * const start = { thresholds: { activeDecodeBlocksThreshold: 0.85 } };
 * const monitor = loadMonitor(sources, { policy: policies['dynamo-1.6'], start });
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
  const wanted = {
    ...nats,
    ...(namespace !== undefined && { namespace }),
    ...(endpoint !== null && { endpoint }),
    ...(release !== undefined && { release }),
  };
  const events: NatsLoads<LoadReceived | LoadBatch> =
    options.form === 'objects'
      ? natsLoads({ ...wanted, form: 'objects' })
      : natsLoads({ ...wanted, form: 'columns' });
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
