import type { WorkerId } from '../../core/worker-id.js';
import { type Family, type PoolAtScrape, type WorkerOfPool, eachWorker } from './metric-family.js';
import { type Metric, legacyMetrics } from './metric-names.js';
import type { LegacyMetrics, LegacyWorkerStats } from './pool-metrics.js';

/** The metrics of Dynamo's old metrics component, for pools with the option `legacy`. */
export const legacyFamilies: readonly Family[] = [
  workerFamily(legacyMetrics.blocksActive, (worker) => blocksOf(worker).active),
  workerFamily(legacyMetrics.blocksTotal, (worker) => blocksOf(worker).total),
  statsFamily(legacyMetrics.activeSlots, ({ requestActiveSlots }) => requestActiveSlots),
  statsFamily(legacyMetrics.totalSlots, ({ requestTotalSlots }) => requestTotalSlots),
  statsFamily(legacyMetrics.hitRate, ({ gpuPrefixCacheHitRate }) => gpuPrefixCacheHitRate),
  spreadFamily(legacyMetrics.loadAvg, ({ average }) => average),
  spreadFamily(legacyMetrics.loadStd, ({ deviation }) => deviation),
  hitRateFamily(legacyMetrics.islBlocks, ({ islBlocks }) => islBlocks),
  hitRateFamily(legacyMetrics.overlapBlocks, ({ overlapBlocks }) => overlapBlocks),
];

type LegacyPool = PoolAtScrape & { readonly legacy: LegacyMetrics };

/** The pools with the option `legacy`; only the first of those with the same component and endpoint. */
function legacyOf(pools: readonly PoolAtScrape[]): LegacyPool[] {
  const legacyPools = pools.filter((pool): pool is LegacyPool => pool.legacy !== undefined);
  return [...new Map(legacyPools.toReversed().map((pool) => [keyOf(pool), pool])).values()].toReversed();
}

function keyOf({ legacy: { component, endpoint } }: LegacyPool): string {
  return JSON.stringify([component, endpoint]);
}

/** The sums of blocks over the ranks of a worker; absent if no rank has a value. */
function blocksOf({ ranks, worker }: WorkerOfPool): { readonly active?: number; readonly total?: number } {
  let active: number | undefined;
  let total: number | undefined;
  for (let index = 0; index < ranks.rankCount(worker); index += 1) {
    const used = ranks.kvUsedBlocks(worker, index) ?? ranks.activeDecodeBlocks(worker, index);
    const capacity = ranks.totalKvBlocks(worker, index);
    if (used !== null) active = (active ?? 0) + Number(used);
    if (capacity !== null) total = (total ?? 0) + Number(capacity);
  }
  return { ...(active !== undefined && { active }), ...(total !== undefined && { total }) };
}

function workerFamily(metric: Metric, value: (worker: WorkerOfPool) => number | undefined): Family {
  return {
    metric,
    *samples(pools, sink) {
      sink.begin(metric, {});
      for (const pool of legacyOf(pools)) {
        const { component, endpoint } = pool.legacy;
        for (const worker of eachWorker([pool])) {
          const sample = value(worker);
          if (sample !== undefined) sink.sample(sample, component, endpoint, worker.workerId);
          yield;
        }
      }
    },
  };
}

function statsFamily(metric: Metric, value: (stats: LegacyWorkerStats) => number | undefined): Family {
  return {
    metric,
    *samples(pools, sink) {
      sink.begin(metric, {});
      for (const pool of legacyOf(pools)) {
        const { component, endpoint, stats } = pool.legacy;
        if (stats === undefined) continue;
        const byWorker = new Map<WorkerId, LegacyWorkerStats>();
        for (const workerStats of stats()) byWorker.set(workerStats.workerId, workerStats);
        for (const { workerId } of eachWorker([pool])) {
          const workerStats = byWorker.get(workerId);
          const sample = workerStats && value(workerStats);
          if (sample !== undefined) sink.sample(sample, component, endpoint, workerId);
          yield;
        }
      }
    },
  };
}

function spreadFamily(
  metric: Metric,
  value: (spread: { readonly average: number; readonly deviation: number }) => number,
): Family {
  return {
    metric,
    *samples(pools, sink) {
      sink.begin(metric, {});
      for (const pool of legacyOf(pools)) {
        const loads: number[] = [];
        for (const worker of eachWorker([pool])) {
          const { active } = blocksOf(worker);
          if (active !== undefined) loads.push(active);
          yield;
        }
        if (loads.length === 0) continue;
        const mean = (values: readonly number[]): number =>
          values.reduce((sum, x) => sum + x, 0) / values.length;
        const average = mean(loads);
        const deviation = Math.sqrt(mean(loads.map((x) => (x - average) ** 2)));
        sink.sample(value({ average, deviation }), pool.legacy.component, pool.legacy.endpoint);
      }
    },
  };
}

function hitRateFamily(
  metric: Metric,
  value: (blocks: { readonly islBlocks: number; readonly overlapBlocks: number }) => number,
): Family {
  return {
    metric,
    *samples(pools, sink) {
      sink.begin(metric, {});
      for (const { legacy } of legacyOf(pools)) {
        const blocks = legacy.hitRate?.();
        if (blocks !== undefined) sink.sample(value(blocks), legacy.component, legacy.endpoint);
        yield;
      }
    },
  };
}
