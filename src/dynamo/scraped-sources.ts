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

/** An old fleet, which part of it, and how it is asked. */
export interface ScrapedSourcesOptions extends FleetScope {
  /** The servers, or a connection that is there already; a text is the servers. */
  readonly nats: string | NatsConnectionOptions;
  /** The endpoint whose workers are judged together; all endpoints of its component are asked. */
  readonly endpoint: EndpointLike;
  /** How long a scrape listens, and how much it takes. */
  readonly scrape?: ScrapeOptions;
  /** How often it is asked, and how the answers are read; the scheduler is that of `nats`, or the monotonic one. */
  readonly aggregator?: ScrapedEndpointsOptions;
}

/** What {@link scrapedSources} returns: what a monitor takes, and what else is known of the fleet. */
export interface ScrapedSources extends MonitorSources {
  readonly loads: Observable<ActiveLoad>;
  readonly configs: Observable<ConfigChange>;
  readonly decodeInstances: Observable<InstanceChange>;
  readonly events: Observable<FleetEvent>;
  readonly status: readonly [scrape: Observable<SourceStatus>, discovery: Observable<SourceStatus>];
  /** The snapshots that the loads are of. */
  readonly endpoints$: Observable<ProcessedEndpoints>;
  /** Who the workers are. */
  readonly workers$: Observable<WorkerChange>;
}

/**
 * A live Dynamo fleet of releases up to 0.6, whose workers tell their load when they are asked, as the sources of a
 * monitor: loads from scrapes over NATS, cards and instances from etcd.
 *
 * 1. Nothing is connected before the monitor is. Each server heals by itself; while one is away, what it last said stays,
 *    and its status says why.
 * 2. Every 100 ms after a scrape of 300 ms the workers of the component are asked again. A load that was above a mark for
 *    less than that may not be seen.
 * 3. Replies and records that cannot be read come as events, so that the monitor tells them among its problems.
 *
 * @throws NatsOptionsError, EtcdOptionsError, AggregatorOptionsError, EndpointNameError or ScopeError, when it is called,
 *   for options that cannot be followed.
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
 * const start = { thresholds: { activeDecodeBlocksThreshold: 0.85 } };
 * const monitor = loadMonitor(sources, { policy: policies.default, start });
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
