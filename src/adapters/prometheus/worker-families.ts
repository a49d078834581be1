import type { Count } from '../../core/count.js';
import type { FleetRanks } from '../../core/fleet-ranks.js';
import type { Family } from './family.js';
import type { Metric } from './metric.js';
import { workerGauges } from './metric-names.js';
import { eachWorker } from './each-worker.js';
import type { PoolAtScrape } from './pool-at-scrape.js';
import type { ObservedLatency } from './worker-latencies.js';

/** Dynamo's five gauges. They say nothing of pools, so a worker that is in several is told by the first. */
export const workerFamilies: readonly Family[] = [
  loadFamily(workerGauges.activeDecodeBlocks, (ranks, worker, index) =>
    ranks.activeDecodeBlocks(worker, index),
  ),
  loadFamily(workerGauges.activePrefillTokens, (ranks, worker, index) =>
    ranks.activePrefillTokens(worker, index),
  ),
  latencyFamily(workerGauges.lastTimeToFirstToken, ({ timeToFirstToken }) => timeToFirstToken),
  latencyFamily(workerGauges.lastInputSequenceTokens, ({ inputSequenceTokens }) => inputSequenceTokens),
  latencyFamily(workerGauges.lastInterTokenLatency, ({ interTokenLatency }) => interTokenLatency),
];

function loadFamily(
  metric: Metric,
  value: (ranks: FleetRanks, worker: number, index: number) => Count | null,
): Family {
  return {
    metric,
    *samples(pools, sink) {
      const first = firstOf(pools);
      sink.begin(metric, {});
      for (const { ranks, worker, workerId } of eachWorker(pools)) {
        const workerType = ranks.workerType(worker);
        if (!first(`${workerType} ${workerId}`)) continue;
        for (let index = 0; index < ranks.rankCount(worker); index += 1) {
          const sample = value(ranks, worker, index);
          if (sample !== null) sink.sample(sample, String(ranks.rank(worker, index)), workerId, workerType);
          if (index % 256 === 255) yield;
        }
        yield;
      }
    },
  };
}

function latencyFamily(metric: Metric, value: (observed: ObservedLatency) => number): Family {
  return {
    metric,
    *samples(pools, sink) {
      const first = firstOf(pools);
      sink.begin(metric, {});
      for (const { pool, workerId } of eachWorker(pools)) {
        for (const observed of pool.latencies?.of(workerId) ?? []) {
          const { dpRank, workerType } = observed;
          const sample = value(observed);
          if (Number.isNaN(sample) || !first(`${dpRank} ${workerType} ${workerId}`)) continue;
          sink.sample(sample, dpRank, workerId, workerType);
        }
        yield;
      }
    },
  };
}

/** Tells whether a key is met for the first time; with one pool no key comes twice. */
function firstOf(pools: readonly PoolAtScrape[]): (key: string) => boolean {
  if (pools.length < 2) return () => true;
  const met = new Set<string>();
  return (key) => met.size < met.add(key).size;
}
