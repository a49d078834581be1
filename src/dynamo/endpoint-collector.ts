import type { Scrape } from '../core/aggregator/scrape.js';
import { ScrapedEndpoints, type ComponentName, type ScrapedEndpointsOptions } from './scraped-endpoints.js';

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
