import { concatMap, type OperatorFunction } from 'rxjs';
import type { ActiveLoad } from '../events/fleet-event.js';
import type { Endpoint } from './load-metrics.js';
import type { ProcessedEndpoints } from './processed-endpoints.js';
import { rankOf } from './scraped-entries.js';

/**
 * Turns the snapshots of an aggregator into loads for a monitor, so that a fleet with a release that is scraped (0.3.2 to
 * 0.6) has busy sets, transitions and explanations too.
 *
 * 1. Every snapshot gives one load for each rank of its workers, in ascending order of ids, then of ranks. The monitor finds
 *    out what changed.
 * 2. A load has the active blocks of the engine and its rank; a worker without ranks has rank 0. It has no prefill tokens
 *    and no used blocks, since these engines do not report them.
 * 3. Predictive metrics are not measured, and give no load.
 * 4. A worker that left gives no load. A source of instances has to report that it left.
 *
 * ```
 *   endpoints$  --a------b---     a: workers 1 and 2, b: worker 2 alone
 *            engineLoads()
 *   loads       --(xy)---z---
 * ```
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { workerId } from 'tidemark';
 * import { engineLoads, ProcessedEndpoints } from 'tidemark/aggregator';
 *
 * const snapshot = ProcessedEndpoints.of([
 *   {
 *     name: 'dynamo_backend-load_metrics-7',
 *     subject: 'dynamo_backend.load_metrics-7',
 *     workerId: workerId('7'),
 *     data: {
 *       engineLoadMetrics: {
 *         workerStats: { dataParallelRank: 1, requestActiveSlots: 3, requestTotalSlots: 8, numRequestsWaiting: 0 },
 *         kvStats: { kvActiveBlocks: 90, kvTotalBlocks: 100, gpuCacheUsagePerc: 0.5, gpuPrefixCacheHitRate: 0 },
 *         specDecodeStats: null,
 *       },
 *     },
 *   },
 * ]);
 * of(snapshot)
 *   .pipe(engineLoads())
 *   .subscribe(({ workerId, dpRank, activeDecodeBlocks }) => console.log(workerId, dpRank, activeDecodeBlocks));
 * // Logs: 7 1 90
 * ```
 *
 * @see {@link metricsAggregator}, {@link loadMonitor}
 */
export function engineLoads(): OperatorFunction<ProcessedEndpoints, ActiveLoad> {
  return concatMap(({ endpoints }) => endpoints.flatMap(loadsOf));
}

function loadsOf(endpoint: Endpoint): ActiveLoad[] {
  const { workerId, data } = endpoint;
  if ('predictiveLoadMetrics' in data) return [];
  return [
    {
      workerId,
      dpRank: rankOf(endpoint),
      activeDecodeBlocks: data.engineLoadMetrics.kvStats.kvActiveBlocks,
      activePrefillTokens: null,
      kvUsedBlocks: null,
    },
  ];
}
