import type { Count } from '../count.js';
import type { ForwardPassMetrics } from './forward-pass-metrics.js';

/** What a router expects of a worker that was not asked: a count of blocks. */
export interface PredictiveLoadMetrics {
  readonly kvActiveBlocks: Count;
}

/** The load of an endpoint: what its engine says, or what is expected of it. */
export type LoadMetrics =
  | { readonly engineLoadMetrics: ForwardPassMetrics }
  | { readonly predictiveLoadMetrics: PredictiveLoadMetrics };

/** The active blocks of a load, of either kind. */
export function kvActiveBlocks(load: LoadMetrics): Count {
  return 'engineLoadMetrics' in load
    ? load.engineLoadMetrics.kvStats.kvActiveBlocks
    : load.predictiveLoadMetrics.kvActiveBlocks;
}
