import { NEVER, type SchedulerLike, filter, map, merge, of } from 'rxjs';
import { monotonicScheduler } from '../adapters/clock/monotonic-scheduler.js';
import { etcdKeys } from '../adapters/etcd/watch-prefix.js';
import { type EtcdClientLike, type EtcdOptions, toEtcdOptions } from '../adapters/etcd/etcd-options.js';
import type { NatsLink } from '../adapters/nats/nats-link.js';
import { natsMessages } from '../adapters/nats/nats-messages.js';
import { type NatsConnectionOptions, toNatsConnectionOptions } from '../adapters/nats/nats-options.js';
import { type ScrapeOptions, scrapeStats } from '../adapters/nats/scrape-stats.js';
import { engineLoads } from '../core/aggregator/engine-loads.js';
import { TidemarkError } from '../core/errors.js';
import type { ActiveLoad, FleetEvent, LoadReceived } from '../core/events/fleet-event.js';
import type { LoadBatch } from '../core/events/load-batch.js';
import {
  aScheduler,
  anObject,
  isRecord,
  oneOf,
  optionProblems,
  validatedElsewhere,
} from '../core/option-problems.js';
import type { KeySource } from '../core/sources/key-source.js';
import type { MessageSource } from '../core/sources/message-source.js';
import type { EndpointName } from '../core/sources/worker-info.js';
import {
  type Discovery,
  type DiscoveryOptions,
  discoverWorkers,
} from '../dynamo/discovery/discover-workers.js';
import { discoveryPrefixes, eventChannelPrefixes } from '../dynamo/discovery/discovery-keys.js';
import { type ParsedScope, parseScope } from '../dynamo/discovery/fleet-scope.js';
import type { LoadForm } from '../dynamo/loads/load-receiver.js';
import { type LoadRelease, SCOPE_OF_RELEASE, receiveLoads } from '../dynamo/loads/receive-loads.js';
import { KvMetricsAggregator, type ScrapedEndpointsOptions } from '../dynamo/scraped-endpoints.js';
import type { EndpointLike } from '../wire/endpoint-names.js';
import { serviceName } from '../wire/services/service-names.js';
import type { Fleet } from './fleet.js';

/** How a fleet up to release 0.6 is scraped. */
export interface FleetScrapeOptions extends ScrapeOptions {
  /** How often to poll, and how to read the replies. */
  readonly aggregator?: ScrapedEndpointsOptions;
}

/** Where a fleet is, and which part of it to watch. */
export interface DynamoFleetOptions extends DiscoveryOptions {
  /** The NATS servers (a string is a comma-separated list), connection options, or an existing connection. */
  readonly nats?: string | NatsLink | NatsConnectionOptions | undefined;
  /**
   * The hosts of etcd (a string is a comma-separated list), connection options, or an existing client of `etcd3`, whose hosts
   * and credentials are used.
   */
  readonly etcd?: string | EtcdOptions | EtcdClientLike | undefined;
  /** Any other event plane, in place of `nats`. */
  readonly events?: MessageSource | undefined;
  /** Any other discovery backend, in place of `etcd`. */
  readonly discovery?: KeySource | undefined;
  /** Accept only messages of this release. All when absent. */
  readonly release?: LoadRelease | undefined;
  /** `objects` when absent. `columns` cost less, and can be read only during the call: nothing may delay the loads. */
  readonly form?: LoadForm | undefined;
  /** Poll the workers of `endpoint` for their load over `nats`, as Dynamo up to 0.6 does. Not when absent. */
  readonly scrape?: boolean | FleetScrapeOptions | undefined;
  /** The clock of the fleet. `monotonicScheduler` when absent. */
  readonly scheduler?: SchedulerLike | undefined;
}

/**
 * A live Dynamo fleet: its pools, their configs, instances and loads, its status and its problems.
 *
 * 1. Nothing is connected before an output has a subscriber. All outputs share one connection to each server, which
 *    reconnects by itself and independently of the other. While a server is unreachable, its last values are kept. The
 *    status says since when they are stale, why, and when the next attempt follows.
 * 2. `pool({ model, role, endpoint })` selects workers; without a selector it is every worker that discovery knows, under its
 *    id. The model may be the name of a LoRA adapter. `pools$` lists the pools, one for each model and role at an endpoint;
 *    {@link FleetPools} judges all of them. `models$` lists the names that users can request, with their readiness.
 * 3. Messages and records that cannot be read are problems. They are also events in the sources of a pool, so that its
 *    monitor reports them.
 * 4. Loads are objects, with the publisher, the sequence number and the time of each message. With the form `columns` they
 *    are batches of `tidemark/fast`.
 * 5. With `scrape`, the workers of the component of `endpoint` are polled for their load over NATS. A scrape takes 300 ms,
 *    and the next one follows 100 ms later, so a load that is above a threshold for a shorter time may be missed.
 * 6. `discovery` and `events` take any {@link KeySource} and {@link MessageSource}, such as {@link MemoryKeys} and
 *    {@link MemoryMessages}.
 *
 * @throws NatsOptionsError, EtcdOptionsError, EndpointNameError, ScopeError or AggregatorOptionsError, synchronously, for
 *   invalid options. TidemarkError, code `fleet-options`, for options that do not exist, are missing, or exclude each other.
 *
 * @example
 * ```ts no-run
 * import { loadMonitor, policies } from 'tidemark';
 * import { dynamoFleet } from 'tidemark/dynamo';
 *
 * const fleet = dynamoFleet({ nats: 'nats://127.0.0.1:4222', etcd: 'http://127.0.0.1:2379', namespace: 'dynamo' });
 * const thresholds = { activeDecodeBlocksThreshold: 0.85 };
 * const monitor = loadMonitor(fleet.pool({ model: 'llama' }).sources, { policy: policies.default, thresholds });
 * monitor.transitions$.subscribe(({ verdict }) => console.log(verdict.text));
 * monitor.status$.subscribe((statuses) => console.log(statuses));
 * monitor.connect();
 * ```
 *
 * @see {@link discoverWorkers}, {@link receiveLoads}, {@link loadMonitor}
 */
export function dynamoFleet(options: DynamoFleetOptions & { readonly form: 'columns' }): Fleet<LoadBatch>;
export function dynamoFleet(
  options: DynamoFleetOptions & { readonly form?: 'objects' | undefined },
): Fleet<LoadReceived>;
export function dynamoFleet(options: DynamoFleetOptions): Fleet<ActiveLoad | LoadBatch>;
export function dynamoFleet(options: DynamoFleetOptions): Fleet<ActiveLoad | LoadBatch> {
  requireFleetOptions(options);
  const scope = parseScope(options);
  const scheduler = options.scheduler ?? monotonicScheduler;
  const discovery = discoverWorkers(keysOf(options, scope, scheduler), {
    ...scope,
    maxPools: options.maxPools,
  });
  const loads = loadsOf(options, scope, discovery, scheduler);
  if (options.events === undefined) return composeFleet(discovery, loads, scope);
  // Another event plane may be the one that the publishers use.
  const problems$ = discovery.problems$.pipe(filter(({ code }) => code !== 'loads-over-zmq'));
  return composeFleet({ ...discovery, problems$ }, loads, scope);
}

/** The parts of a fleet that come from its loads. */
type FleetLoads = Pick<Fleet, 'loads$' | 'accounting$' | 'endpoints$' | 'problems$'> &
  Pick<Discovery, 'status$'>;

function composeFleet(discovery: Discovery, loads: FleetLoads, scope: ParsedScope): Fleet {
  const { prefillEndpoint } = scope;
  /** An endpoint in each namespace of the fleet. */
  const inEvery = ({ namespace, ...there }: EndpointName): EndpointLike =>
    scope.namespace === undefined ? { namespace, ...there } : there;
  const { pools$, models$, workers$ } = discovery;
  const { loads$, accounting$, endpoints$ } = loads;
  const problems$ = merge(loads.problems$, discovery.problems$);
  const status = [loads.status$, discovery.status$];
  const events = problems$.pipe(map((problem): FleetEvent => ({ kind: 'problem', problem })));
  return {
    pools$,
    models$,
    workers$,
    loads$,
    accounting$,
    endpoints$,
    problems$,
    status,
    pool: (selector = {}) => {
      const { configs$, instances$ } = discovery.pool(selector);
      const { role, endpoint } = selector;
      const poolOf = (decode$: typeof instances$) => ({
        configs$,
        instances$: decode$,
        loads$,
        sources: { configs: configs$, decodeInstances: decode$, loads: loads$, events, status },
      });
      // Both roles in one monitor, unless a pool of one of them is wanted.
      if (prefillEndpoint === undefined || role !== undefined || endpoint !== undefined)
        return poolOf(instances$);
      const decodeOnly =
        scope.endpoint === undefined ? { role: 'decode' as const } : { endpoint: inEvery(scope.endpoint) };
      const decode = poolOf(discovery.pool({ ...selector, ...decodeOnly }).instances$);
      const prefill = discovery.pool({ ...selector, endpoint: inEvery(prefillEndpoint) });
      return { ...decode, sources: { ...decode.sources, prefillInstances: of(prefill.instances$) } };
    },
  };
}

function keysOf(
  { etcd, discovery, events, scrape = false }: DynamoFleetOptions,
  scope: ParsedScope,
  scheduler: SchedulerLike,
): KeySource {
  const { namespace, namespaceMatch } = scope;
  const isOverNats = events === undefined && scrape === false;
  const keys =
    discovery ??
    // The fold keeps the state for late subscribers, so the source need not keep the values.
    etcdKeys(
      {
        scheduler,
        ...toEtcdOptions(etcd as string | EtcdOptions | EtcdClientLike),
        prefixes: [
          ...discoveryPrefixes(namespace, namespaceMatch),
          ...(isOverNats ? eventChannelPrefixes(namespace, namespaceMatch) : []),
        ],
      },
      { keep: false },
    );
  return {
    changes$: keys.changes$,
    status$: keys.status$.pipe(map((status) => ({ ...status, source: 'discovery' }))),
  };
}

function loadsOf(
  options: DynamoFleetOptions,
  scope: ParsedScope,
  discovery: Discovery,
  scheduler: SchedulerLike,
): FleetLoads {
  const { nats, events, release, form, scrape = false } = options;
  if (scrape !== false) return scrapedLoads(nats, scope, scrape === true ? {} : scrape, scheduler);
  const messages = events ?? natsMessages({ scheduler, ...natsOf(nats) });
  // A fleet of one namespace, or of all, does not need discovery to know its subjects.
  const namespaces$ =
    scope.namespace === undefined || scope.namespaceMatch === 'exact' ? undefined : discovery.namespaces$;
  return {
    ...receiveLoads(messages, { ...scope, namespaces$, release, form, scheduler, wallClock: Date }),
    endpoints$: NEVER,
  };
}

function scrapedLoads(
  nats: DynamoFleetOptions['nats'],
  { endpoint }: ParsedScope,
  { aggregator: given, ...scrape }: FleetScrapeOptions,
  scheduler: SchedulerLike,
): FleetLoads {
  if (endpoint === undefined)
    throw new TidemarkError(
      'fleet-options',
      'scrape needs the endpoint to poll, such as dynamo.backend.generate.',
    );
  const { namespace, component } = endpoint;
  const replies$ = scrapeStats({ scheduler, ...natsOf(nats) }, serviceName(namespace, component), scrape);
  const { endpoints$, problems$, status$ } = new KvMetricsAggregator(replies$, endpoint, {
    scheduler,
    ...given,
  });
  return { loads$: endpoints$.pipe(engineLoads()), accounting$: NEVER, endpoints$, problems$, status$ };
}

/** The options were checked: without another event plane, `nats` is given. */
function natsOf(nats: DynamoFleetOptions['nats']): NatsConnectionOptions {
  return toNatsConnectionOptions(nats as string | NatsLink | NatsConnectionOptions);
}

const hasMembers = (...names: readonly string[]) => ({
  what: `an object with ${names.join(' and ')}`,
  is: (value: unknown) => isRecord(value) && names.every((name) => value[name] !== undefined),
});

const optionRules = {
  nats: validatedElsewhere,
  etcd: validatedElsewhere,
  events: hasMembers('subscribe', 'status$'),
  discovery: hasMembers('changes$', 'status$'),
  namespace: validatedElsewhere,
  namespaceMatch: validatedElsewhere,
  endpoint: validatedElsewhere,
  prefillEndpoint: validatedElsewhere,
  maxPools: {
    what: 'a whole number, at least 1',
    is: (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 1,
  },
  release: oneOf(Object.keys(SCOPE_OF_RELEASE)),
  form: oneOf(['objects', 'columns']),
  scrape: {
    what: 'true, false, or options of a scrape',
    is: (value: unknown) => typeof value === 'boolean' || anObject.is(value),
  },
  scheduler: aScheduler,
};

/** @throws TidemarkError, code `fleet-options`, with all problems */
function requireFleetOptions(options: DynamoFleetOptions): void {
  const problems = optionProblems('dynamoFleet', options, optionRules);
  if (isRecord(options)) {
    const { nats, etcd, events, discovery, scrape } = options as DynamoFleetOptions;
    const isScraped = scrape !== undefined && scrape !== false;
    if ((nats === undefined) === (events === undefined))
      problems.push(
        'dynamoFleet needs either nats, such as nats://127.0.0.1:4222, or events, a source of messages',
      );
    else if (isScraped && nats === undefined)
      problems.push('scrape needs nats, such as nats://127.0.0.1:4222');
    if ((etcd === undefined) === (discovery === undefined))
      problems.push(
        'dynamoFleet needs either etcd, such as http://127.0.0.1:2379, or discovery, a source of keys',
      );
  }
  if (problems.length > 0) throw new TidemarkError('fleet-options', `${problems.join('; ')}.`);
}
