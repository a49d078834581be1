import type { Metric } from './metric.js';
import type { PoolAtScrape } from './pool-at-scrape.js';
import type { SampleSink } from './sample-sink.js';

/**
 * One metric and how its samples are made. The generator yields at every worker, and amid many ranks when the sink is
 * full, so that its reader may let others work.
 */
export interface Family {
  readonly metric: Metric;
  readonly samples: (pools: readonly PoolAtScrape[], sink: SampleSink) => Generator<void>;
}
