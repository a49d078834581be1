import { map, merge, type Observable } from 'rxjs';
import { monotonicScheduler } from '../adapters/clock/monotonic-scheduler.js';
import { toNatsConnectionOptions, type NatsConnectionOptions } from '../adapters/nats/nats-options.js';
import { type ScrapeOptions, scrapeStats } from '../adapters/nats/scrape-stats.js';
import { engineLoads } from '../core/aggregator/engine-loads.js';
import type { ProcessedEndpoints } from '../core/aggregator/processed-endpoints.js';
import type { ActiveLoad, FleetEvent } from '../core/events/fleet-event.js';
import type { ConfigChange, InstanceChange, MonitorSources } from '../core/pipeline/monitor-sources.js';
import type { SourceStatus } from '../core/sources/source-status.js';
import type { WorkerChange } from '../core/sources/worker-info.js';
import { parseEndpoint, type EndpointLike } from '../wire/endpoint-names.js';
import { serviceName } from '../wire/services/service-names.js';
import { discoverySources, type FleetScope } from './discovery-sources.js';
import { KvMetricsAggregator, type ScrapedEndpointsOptions } from './scraped-endpoints.js';

/** The options of {@link scrapedSources}. */
export interface ScrapedSourcesOptions extends FleetScope {
  /** The NATS servers, or an existing connection; a string is a comma-separated list of servers. */
  readonly nats: string | NatsConnectionOptions;
  /** The endpoint whose workers are judged together. All endpoints of its component are polled. */
  readonly endpoint: EndpointLike;
  /** How long a scrape waits for replies, and how many it accepts. */
  readonly scrape?: ScrapeOptions;
  /** How often to poll, and how to read the replies. The scheduler is that of `nats`, or `monotonicScheduler`. */
  readonly aggregator?: ScrapedEndpointsOptions;
}

/** The result of {@link scrapedSources}: the sources of a monitor, and more about the fleet. */
export interface ScrapedSources extends MonitorSources {
  readonly loads: Observable<ActiveLoad>;
  readonly configs: Observable<ConfigChange>;
  readonly decodeInstances: Observable<InstanceChange>;
  readonly events: Observable<FleetEvent>;
  readonly status: readonly [scrape: Observable<SourceStatus>, discovery: Observable<SourceStatus>];
  /** The snapshots from which the loads are computed. */
  readonly endpoints$: Observable<ProcessedEndpoints>;
  /** The identities of the workers. */
  readonly workers$: Observable<WorkerChange>;
}

/**
 * A live Dynamo fleet up to release 0.6, whose workers are polled for their load, as the sources of a monitor: loads from
 * scrapes over NATS, configs and instances from etcd.
 *
 * 1. It connects when the monitor does, and reconnects to each server independently. While a server is unreachable, its last
 *    values are kept, and its status says why.
 * 2. A scrape takes 300 ms, and the next one follows 100 ms later. A load that is above a threshold for a shorter time may be
 *    missed.
 * 3. Replies and records that cannot be read become events, so that the monitor reports them as problems.
 *
 * @throws NatsOptionsError, EtcdOptionsError, AggregatorOptionsError, EndpointNameError or ScopeError, synchronously, for
 *   invalid options.
 *
 * @example
 * ```ts no-run
 * import { loadMonitor, policies } from 'tidemark';
 * import { scrapedSources } from 'tidemark/dynamo';
 *
 * const sources = scrapedSources({
 *   nats: 'nats://127.0.0.1:4222',
 *   etcd: 'http://127.0.0.1:2379',
 *   endpoint: 'dynamo.backend.generate',
 * });
 * const thresholds = { activeDecodeBlocksThreshold: 0.85 };
 * const monitor = loadMonitor(sources, { policy: policies.default, thresholds });
 * monitor.transitions$.subscribe(({ verdict }) => console.log(verdict.text));
 * sources.endpoints$.subscribe(({ loadAvg, loadStd }) => console.log(loadAvg, loadStd));
 * monitor.connect();
 * ```
 *
 * @see {@link dynamoSources} for later releases, {@link metricsAggregator}, {@link scrapeStats}
 */
export function scrapedSources(options: ScrapedSourcesOptions): ScrapedSources {
  const nats = toNatsConnectionOptions(options.nats);
  const endpoint = parseEndpoint(options.endpoint, options.namespace);
  const { namespace, component } = endpoint;
  const aggregator = new KvMetricsAggregator(
    scrapeStats(nats, serviceName(namespace, component), options.scrape),
    endpoint,
    { scheduler: nats.scheduler ?? monotonicScheduler, ...options.aggregator },
  );
  const fleet = discoverySources({ ...options, namespace }, endpoint);
  return {
    ...fleet.sources,
    loads: aggregator.endpoints$.pipe(engineLoads()),
    events: merge(aggregator.problems$, fleet.problems$).pipe(
      map((problem) => ({ kind: 'problem', problem })),
    ),
    status: [aggregator.status$, fleet.status$],
    endpoints$: aggregator.endpoints$,
    workers$: fleet.workers$,
  };
}
