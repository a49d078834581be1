import type { Count } from '../../core/count.js';
import type { Metric } from './metric.js';

/** Where samples go: a page, or the values of a registry. */
export interface SampleSink {
  /** Whether it has enough for one turn: who writes the samples of many ranks in a row yields before the next. */
  readonly full: boolean;
  /** The samples that follow are of this metric, and carry these labels before its own. */
  begin(metric: Metric, labels: Readonly<Record<string, string>>): void;
  /** One sample, with the values of the metric's labels in their order. */
  sample(value: Count, first?: string, second?: string, third?: string): void;
}
