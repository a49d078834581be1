import type { Scrape } from '../core/aggregator/scrape.js';
import { ScrapedEndpoints, type ComponentName, type ScrapedEndpointsOptions } from './scraped-endpoints.js';

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
