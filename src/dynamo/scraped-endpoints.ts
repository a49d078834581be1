// eslint-disable-next-line @typescript-eslint/triple-slash-reference -- the declarations name what `[Symbol.dispose]` needs
/// <reference lib="esnext.disposable" preserve="true" />
import type { Observable, Subscription } from 'rxjs';
import type { MetricsAggregatorOptions } from '../core/aggregator/aggregator-options.js';
import { metricsAggregator } from '../core/aggregator/metrics-aggregator.js';
import { ProcessedEndpoints } from '../core/aggregator/processed-endpoints.js';
import type { Scrape } from '../core/aggregator/scrape.js';
import type { Problem } from '../core/problem.js';
import type { SourceStatus } from '../core/source-status.js';
import { decodeServiceStats } from '../wire/decode-service-stats.js';
import { serviceName } from '../wire/service-names.js';

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
type Polled = Pick<MetricsAggregatorOptions, 'endpoint' | 'metrics'>;

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
    polled: Polled,
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
