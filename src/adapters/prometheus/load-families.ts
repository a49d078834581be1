import type { Count } from '../../core/count.js';
import type { FleetRanks } from '../../core/fleet-ranks.js';
import { eachWorker } from './each-worker.js';
import type { Family } from './family.js';
import { firstMet } from './first-met.js';
import type { Metric } from './metric.js';
import { workerGauges } from './metric-names.js';

/** Dynamo's two load gauges, from the state. */
export const loadFamilies: readonly Family[] = [
  familyOf(workerGauges.activeDecodeBlocks, (ranks, worker, index) =>
    ranks.activeDecodeBlocks(worker, index),
  ),
  familyOf(workerGauges.activePrefillTokens, (ranks, worker, index) =>
    ranks.activePrefillTokens(worker, index),
  ),
];

function familyOf(
  metric: Metric,
  value: (ranks: FleetRanks, worker: number, index: number) => Count | null,
): Family {
  return {
    metric,
    *samples(pools, sink) {
      const first = firstMet(pools);
      sink.begin(metric, {});
      for (const { ranks, worker, workerId } of eachWorker(pools)) {
        const workerType = ranks.workerType(worker);
        const count = first(workerId, workerType) ? ranks.rankCount(worker) : 0;
        for (let index = 0; index < count; index += 1) {
          const sample = value(ranks, worker, index);
          if (sample !== null) sink.sample(sample, String(ranks.rank(worker, index)), workerId, workerType);
          if (sink.full) yield;
        }
        yield;
      }
    },
  };
}
