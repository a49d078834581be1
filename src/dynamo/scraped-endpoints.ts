import type { Observable, Subscription } from 'rxjs';
import type { MetricsAggregatorOptions } from '../core/aggregator/aggregator-options.js';
import { metricsAggregator } from '../core/aggregator/metrics-aggregator.js';
import { ProcessedEndpoints } from '../core/aggregator/processed-endpoints.js';
import type { Scrape } from '../core/aggregator/scrape.js';
import type { Problem } from '../core/sources/problem.js';
import type { SourceStatus } from '../core/sources/source-status.js';
import { serviceName } from '../wire/services/service-names.js';
import { decodeServiceStats } from '../wire/services/service-stats.js';

/** A component of a fleet, whose workers are asked. */
export interface ComponentName {
  readonly namespace: string;
  readonly component: string;
}

/** How the endpoints of a component are polled: rules, waits, and where time comes from. */
export type ScrapedEndpointsOptions = Omit<
  MetricsAggregatorOptions,
  'service' | 'endpoint' | 'metrics' | 'decode'
>;

/** Which endpoint is polled, and what is made of it. */
type PolledEndpoint = Pick<MetricsAggregatorOptions, 'endpoint' | 'metrics'>;

/** What the two collectors of the original have in common. */
export class ScrapedEndpoints {
  /** The name under which the component's workers answer. */
  readonly serviceName: string;
  /** The snapshots: nobody first, then each one that differs. */
  readonly endpoints$: Observable<ProcessedEndpoints>;
  readonly problems$: Observable<Problem>;
  readonly status$: Observable<SourceStatus>;
  private readonly latest: () => ProcessedEndpoints | undefined;
  private run: Subscription | undefined;

  constructor(
    scrape: Scrape,
    { namespace, component }: ComponentName,
    polled: PolledEndpoint,
    options: ScrapedEndpointsOptions,
  ) {
    this.serviceName = serviceName(namespace, component);
    const aggregator = metricsAggregator(scrape, {
      ...options,
      ...polled,
      service: this.serviceName,
      decode: decodeServiceStats,
    });
    this.endpoints$ = aggregator.endpoints$;
    this.problems$ = aggregator.problems$;
    this.status$ = aggregator.status$;
    this.latest = () => aggregator.snapshot();
  }

  /** The latest snapshot; nobody, average and deviation 0, before the first scrape and while nothing runs. */
  getEndpoints(): ProcessedEndpoints {
    return this.latest() ?? ProcessedEndpoints.none;
  }

  /** Polls until `stop()`, also while nobody listens. It is idempotent, and returns the subscription of the run. */
  connect(): Subscription {
    if (this.run === undefined || this.run.closed) this.run = this.endpoints$.subscribe();
    return this.run;
  }

  /** Ends what `connect()` began. Outputs that somebody listens to go on. */
  stop(): void {
    this.run?.unsubscribe();
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}

/** The endpoint that serves requests. */
const GENERATE_ENDPOINT = 'generate';

/**
 * Which workers of a component are there, polled (Dynamo's `EndpointCollector`, 0.3.2 to 0.6).
 *
 * It polls the endpoint `generate` and takes every worker that has it, with a predicted load of 0; all else is as in
 * {@link KvMetricsAggregator}.
 *
 * @throws AggregatorOptionsError for options that cannot be followed.
 * @see {@link KvMetricsAggregator}, {@link metricsAggregator}
 */
export class EndpointCollector extends ScrapedEndpoints {
  constructor(scrape: Scrape, component: ComponentName, options: ScrapedEndpointsOptions = {}) {
    super(scrape, component, { endpoint: GENERATE_ENDPOINT, metrics: 'predictive' }, options);
  }
}

/** The endpoint whose statistics are the engine's metrics. */
const KV_METRICS_ENDPOINT = 'load_metrics';

/**
 * What the engines of a component say of their load, polled (Dynamo's `KvMetricsAggregator`, up to 0.6).
 *
 * 1. It polls the endpoint `load_metrics`; an endpoint without metrics, or with metrics that cannot be read, is left out
 *    and reported.
 * 2. Building connects nothing: it polls while somebody listens to one of its outputs, or from `connect()` to `stop()`.
 * 3. All else is as {@link metricsAggregator} says, under the policy `aggregatorPolicies.default`; `compat` is the
 *    original's.
 *
 * @example
 * ```ts
 * import { EMPTY } from 'rxjs';
 * import { KvMetricsAggregator } from 'tidemark/dynamo';
 *
 * const nobody = EMPTY;
 * const aggregator = new KvMetricsAggregator(nobody, { namespace: 'dynamo', component: 'backend' });
 * console.log(aggregator.serviceName, aggregator.getEndpoints().loadAvg);
 * // Logs: dynamo_backend 0
 * ```
 *
 * @throws AggregatorOptionsError for options that cannot be followed.
 * @see {@link EndpointCollector}, {@link metricsAggregator}
 */
export class KvMetricsAggregator extends ScrapedEndpoints {
  constructor(scrape: Scrape, component: ComponentName, options: ScrapedEndpointsOptions = {}) {
    super(scrape, component, { endpoint: KV_METRICS_ENDPOINT, metrics: 'engine' }, options);
  }
}
