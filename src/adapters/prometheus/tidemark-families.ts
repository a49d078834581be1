import type { Count } from '../../core/count.js';
import { rankChecks } from '../../core/rank-checks.js';
import { checksInForce } from './checks-in-force.js';
import { eachWorker, type WorkerOfPool } from './each-worker.js';
import type { Family } from './family.js';
import type { Metric } from './metric.js';
import { tidemarkMetrics } from './metric-names.js';
import type { SampleSink } from './sample-sink.js';

/** Ours that speak of workers and ranks. */
export const tidemarkFamilies: readonly Family[] = [
  ofWorkers(tidemarkMetrics.busy, ({ ranks, worker, workerId }, sink) =>
    sink.sample(ranks.isBusy(worker) ? 1 : 0, workerId),
  ),
  ofWorkers(tidemarkMetrics.busySince, ({ ranks, worker, workerId }, sink) => {
    if (ranks.isBusy(worker)) sink.sample(ranks.busySince(worker) / 1000, workerId);
  }),
  {
    metric: tidemarkMetrics.ranksAboveMark,
    *samples(pools, sink) {
      for (const pool of pools) {
        if (pool.ranks === undefined) continue;
        sink.begin(tidemarkMetrics.ranksAboveMark, pool.labels);
        const checks = checksInForce(pool.ranks);
        const above = new Map<(typeof checks)[number], number>();
        for (const { ranks, worker, workerId } of eachWorker([pool])) {
          for (const check of checks) above.set(check, 0);
          if (ranks.isMarked(worker)) above.set('mark', 1);
          for (let index = 0; index < ranks.rankCount(worker); index += 1) {
            if (!ranks.isRankBusy(worker, index)) continue;
            for (const { check, exceeded } of rankChecks(
              ranks.state(worker, index),
              ranks.thresholds,
              ranks.policy,
            )) {
              if (exceeded) above.set(check, (above.get(check) ?? 0) + 1);
            }
          }
          for (const [check, count] of above) sink.sample(count, check, workerId);
          yield;
        }
      }
    },
  },
  ofRanks(tidemarkMetrics.kvUsedBlocks, ({ ranks, worker }, index) => ranks.kvUsedBlocks(worker, index)),
  ofRanks(tidemarkMetrics.signalAge, ({ pool, ranks, worker }, index) => {
    const age = ranks.age(worker, index, pool.now);
    return age === null ? null : age / 1000;
  }),
];

function ofWorkers(metric: Metric, samples: (worker: WorkerOfPool, sink: SampleSink) => void): Family {
  return {
    metric,
    *samples(pools, sink) {
      for (const pool of pools) {
        sink.begin(metric, pool.labels);
        for (const worker of eachWorker([pool])) {
          samples(worker, sink);
          yield;
        }
      }
    },
  };
}

function ofRanks(metric: Metric, value: (worker: WorkerOfPool, index: number) => Count | null): Family {
  return {
    metric,
    *samples(pools, sink) {
      for (const pool of pools) {
        sink.begin(metric, pool.labels);
        for (const one of eachWorker([pool])) {
          const { ranks, worker, workerId } = one;
          for (let index = 0; index < ranks.rankCount(worker); index += 1) {
            const sample = value(one, index);
            if (sample !== null) sink.sample(sample, String(ranks.rank(worker, index)), workerId);
            if (sink.full) yield;
          }
          yield;
        }
      }
    },
  };
}
