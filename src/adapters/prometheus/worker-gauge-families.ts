import type { Count } from '../../core/count.js';
import type { FleetRanks } from '../../core/state/fleet-ranks.js';
import type { WorkerId } from '../../core/worker-id.js';
import { type Family, type PoolAtScrape, eachWorker, firstSeenIn } from './metric-family.js';
import { type Metric, workerGauges } from './metric-names.js';
import type { ObservedLatency } from './worker-latencies.js';

/** Dynamo's two load gauges, from the state. */
export const loadFamilies: readonly Family[] = [
  loadFamily(workerGauges.activeDecodeBlocks, (ranks, worker, index) =>
    ranks.activeDecodeBlocks(worker, index),
  ),
  loadFamily(workerGauges.activePrefillTokens, (ranks, worker, index) =>
    ranks.activePrefillTokens(worker, index),
  ),
];

function loadFamily(
  metric: Metric,
  value: (ranks: FleetRanks, worker: number, index: number) => Count | null,
): Family {
  return {
    metric,
    *samples(pools, sink) {
      const first = firstSeenIn(pools);
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

const interToken = latencyFamily(
  workerGauges.lastInterTokenLatency,
  ({ interTokenLatency }) => interTokenLatency,
);

/** Dynamo's three latency gauges, for present workers. The last one also forgets absent workers. */
export const latencyFamilies: readonly Family[] = [
  latencyFamily(workerGauges.lastTimeToFirstToken, ({ timeToFirstToken }) => timeToFirstToken),
  latencyFamily(workerGauges.lastInputSequenceTokens, ({ inputSequenceTokens }) => inputSequenceTokens),
  {
    metric: interToken.metric,
    *samples(pools, sink) {
      yield* interToken.samples(pools, sink);
      yield* forgetAbsentWorkers(pools);
    },
  },
];

function latencyFamily(metric: Metric, value: (observed: ObservedLatency) => number): Family {
  return {
    metric,
    *samples(pools, sink) {
      const first = firstSeenIn(pools);
      sink.begin(metric, {});
      for (const { pool, workerId } of eachWorker(pools)) {
        for (const observed of pool.latencies?.of(workerId) ?? []) {
          const { dpRank, workerType } = observed;
          const sample = value(observed);
          if (Number.isNaN(sample) || !first(workerId, workerType, dpRank)) continue;
          sink.sample(sample, dpRank, workerId, workerType);
        }
        yield;
      }
    },
  };
}

function* forgetAbsentWorkers(pools: readonly PoolAtScrape[]): Generator<void> {
  for (const pool of pools) {
    if (pool.latencies === undefined || pool.ranks === undefined) continue;
    const present = new Set<WorkerId>();
    for (const { workerId } of eachWorker([pool])) {
      present.add(workerId);
      yield;
    }
    yield* pool.latencies.forgetAbsent(present);
  }
}
