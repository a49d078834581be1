import type { WorkerId } from '../../core/worker-id.js';
import { eachWorker } from './each-worker.js';
import type { Family } from './family.js';
import { firstMet } from './first-met.js';
import type { Metric } from './metric.js';
import { workerGauges } from './metric-names.js';
import type { PoolAtScrape } from './pool-at-scrape.js';
import type { ObservedLatency } from './worker-latencies.js';

const interToken = familyOf(workerGauges.lastInterTokenLatency, ({ interTokenLatency }) => interTokenLatency);

/** Dynamo's three latency gauges, of the workers that are there; with the last, who is not is forgotten. */
export const latencyFamilies: readonly Family[] = [
  familyOf(workerGauges.lastTimeToFirstToken, ({ timeToFirstToken }) => timeToFirstToken),
  familyOf(workerGauges.lastInputSequenceTokens, ({ inputSequenceTokens }) => inputSequenceTokens),
  {
    metric: interToken.metric,
    *samples(pools, sink) {
      yield* interToken.samples(pools, sink);
      yield* forgetAbsent(pools);
    },
  },
];

function familyOf(metric: Metric, value: (observed: ObservedLatency) => number): Family {
  return {
    metric,
    *samples(pools, sink) {
      const first = firstMet(pools);
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

function* forgetAbsent(pools: readonly PoolAtScrape[]): Generator<void> {
  for (const pool of pools) {
    if (pool.latencies === undefined || pool.ranks === undefined) continue;
    const there = new Set<WorkerId>();
    for (const { workerId } of eachWorker([pool])) {
      there.add(workerId);
      yield;
    }
    yield* pool.latencies.keep(there);
  }
}
