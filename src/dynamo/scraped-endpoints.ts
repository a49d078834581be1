// eslint-disable-next-line @typescript-eslint/triple-slash-reference -- the declarations name what `[Symbol.dispose]` needs
/// <reference lib="esnext.disposable" preserve="true" />
import type { Observable, Subscription } from 'rxjs';
import type { MetricsAggregatorOptions } from '../core/aggregator/aggregator-options.js';
import { metricsAggregator } from '../core/aggregator/metrics-aggregator.js';
import { ProcessedEndpoints } from '../core/aggregator/processed-endpoints.js';
import type { Scrape } from '../core/aggregator/scrape.js';
import type { Problem } from '../core/sources/problem.js';
import type { SourceStatus } from '../core/sources/source-status.js';
import { LOAD_METRICS_ENDPOINT, serviceName } from '../wire/services/service-names.js';
import { decodeServiceStats } from '../wire/services/service-stats.js';

/** A component, whose workers are polled. */
export interface ComponentName {
  readonly namespace: string;
  readonly component: string;
}

/** How the endpoints of a component are polled: policy, intervals and scheduler. */
export type ScrapedEndpointsOptions = Omit<
  MetricsAggregatorOptions,
  'service' | 'endpoint' | 'metrics' | 'decode'
>;

/** The endpoint that is polled, and the kind of its metrics. */
type PolledEndpoint = Pick<MetricsAggregatorOptions, 'endpoint' | 'metrics'>;

/** The common base of Dynamo's two collectors. */
class ScrapedEndpoints {
  /** The NATS service name of the component's workers. */
  readonly serviceName: string;
  /** The snapshots: first an empty one, then each different one. */
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

  /** The latest snapshot. Before the first scrape and while nothing runs, it is empty, with average and deviation 0. */
  getEndpoints(): ProcessedEndpoints {
    return this.latest() ?? ProcessedEndpoints.none;
  }

  /** Polls until `stop()`, even without subscribers. Idempotent; returns the subscription of the run. */
  connect(): Subscription {
    if (this.run === undefined || this.run.closed) this.run = this.endpoints$.subscribe();
    return this.run;
  }

  /** Ends the run of `connect()`. Outputs with other subscribers continue. */
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
 * Polls which workers of a component are present (Dynamo's `EndpointCollector`, 0.3.2 to 0.6).
 *
 * It polls the endpoint `generate` and includes every worker that has it, with a predicted load of 0. Otherwise it works
 * like {@link KvMetricsAggregator}.
 *
 * @throws AggregatorOptionsError for invalid options.
 * @see {@link KvMetricsAggregator}, {@link metricsAggregator}
 */
export class EndpointCollector extends ScrapedEndpoints {
  constructor(scrape: Scrape, component: ComponentName, options: ScrapedEndpointsOptions = {}) {
    super(scrape, component, { endpoint: GENERATE_ENDPOINT, metrics: 'predictive' }, options);
  }
}

/**
 * Polls the load of the engines of a component (Dynamo's `KvMetricsAggregator`, up to 0.6).
 *
 * 1. It polls the endpoint `load_metrics`. An endpoint without metrics, or with metrics that cannot be read, is omitted and
 *    reported as a problem.
 * 2. It polls while one of its outputs has a subscriber, or from `connect()` to `stop()`.
 * 3. Otherwise it works like {@link metricsAggregator}. The policy is `aggregatorPolicies.default`; `compat` is that of
 *    Dynamo.
 *
 * @example
 * ```ts
 * import { EMPTY } from 'rxjs';
 * import { KvMetricsAggregator } from 'tidemark/dynamo';
 *
 * const noReplies = EMPTY;
 * const aggregator = new KvMetricsAggregator(noReplies, { namespace: 'dynamo', component: 'backend' });
 * console.log(aggregator.serviceName, aggregator.getEndpoints().loadAvg);
 * // Logs: dynamo_backend 0
 * ```
 *
 * @throws AggregatorOptionsError for invalid options.
 * @see {@link EndpointCollector}, {@link metricsAggregator}
 */
export class KvMetricsAggregator extends ScrapedEndpoints {
  constructor(scrape: Scrape, component: ComponentName, options: ScrapedEndpointsOptions = {}) {
    super(scrape, component, { endpoint: LOAD_METRICS_ENDPOINT, metrics: 'engine' }, options);
  }
}
