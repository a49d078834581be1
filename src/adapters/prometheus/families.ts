import type { Count } from '../../core/count.js';
import { type LoadCheck, rankChecks } from '../../core/judgement/rank-checks.js';
import { unknownReasons } from '../../core/judgement/worker-state.js';
import type { LoadPolicy } from '../../core/policy/load-policy.js';
import type { LoadThresholds } from '../../core/policy/load-thresholds.js';
import type { SourceState } from '../../core/sources/source-status.js';
import { legacyFamilies } from './legacy-families.js';
import {
  type Family,
  type PoolAtScrape,
  type SampleSink,
  type WorkerOfPool,
  eachWorker,
  firstSeenIn,
} from './metric-family.js';
import { type Metric, tidemarkMetrics } from './metric-names.js';
import type { PoolMetrics } from './pool-metrics.js';
import { latencyFamilies, loadFamilies } from './worker-gauge-families.js';

/** The possible causes of a busy worker: the checks whose threshold is set, and overload marks if the policy uses them. */
function checksInForce(policy: LoadPolicy, thresholds: LoadThresholds): (LoadCheck | 'overload-mark')[] {
  const checks: (LoadCheck | 'overload-mark')[] = [];
  if (thresholds.activePrefillTokensThreshold !== null) checks.push('activePrefillTokens');
  if (thresholds.activePrefillTokensThresholdFrac !== null && policy.batchFractionCheck === 'present')
    checks.push('activePrefillTokensFrac');
  if (thresholds.activeDecodeBlocksThreshold !== null) {
    checks.push('activeDecodeBlocks');
    if (policy.decodeSignal !== 'active') checks.push('kvUsedBlocks');
    if (policy.decodeSignal === 'latched') checks.push('latch');
  }
  if (policy.overloadMarks !== 'ignored') checks.push('overload-mark');
  return checks;
}

const states: readonly SourceState[] = ['connecting', 'live', 'stale', 'down', 'ended'];
const MAX_SOURCES = 64;
const MAX_SOURCE_LENGTH = 100;

/** The metrics of tidemark for whole pools. */
const poolFamilies: readonly Family[] = [
  poolFamily(tidemarkMetrics.connected, ({ snapshot }, sink) => sink.sample(snapshot === undefined ? 0 : 1)),
  poolFamily(tidemarkMetrics.poolWorkers, ({ snapshot }, sink) => {
    for (const [state, count] of Object.entries(snapshot?.fleet ?? {})) sink.sample(count as number, state);
  }),
  poolFamily(tidemarkMetrics.workersUnknown, ({ ranks }, sink) => {
    if (ranks === undefined) return;
    for (const reason of unknownReasons) sink.sample(ranks.unknown.get(reason)?.count ?? 0, reason);
  }),
  poolFamily(tidemarkMetrics.threshold, ({ snapshot }, sink) => {
    if (snapshot === undefined) return;
    const { activeDecodeBlocksThreshold, activePrefillTokensThreshold, activePrefillTokensThresholdFrac } =
      snapshot.thresholds;
    const thresholds = {
      activeDecodeBlocksThreshold,
      activePrefillTokensThreshold,
      activePrefillTokensThresholdFrac,
    };
    for (const [name, value] of Object.entries(thresholds)) if (value !== null) sink.sample(value, name);
  }),
  poolFamily(tidemarkMetrics.sourceState, (pool, sink) => {
    for (const [source, { state }] of sourcesOf(pool)) {
      for (const other of states) sink.sample(other === state ? 1 : 0, source, other);
    }
  }),
  poolFamily(tidemarkMetrics.sourceStateSince, (pool, sink) => {
    for (const [source, { since }] of sourcesOf(pool)) sink.sample((since + pool.wallOffset) / 1000, source);
  }),
  poolFamily(tidemarkMetrics.transitions, ({ counts }, sink) => {
    for (const [direction, checks] of Object.entries(counts?.transitions ?? {})) {
      for (const [check, count] of checks) sink.sample(count, check, direction);
    }
  }),
  poolFamily(tidemarkMetrics.problems, ({ counts }, sink) => {
    for (const [code, count] of counts?.problems ?? []) sink.sample(count, code);
  }),
  poolFamily(tidemarkMetrics.loadMessages, ({ account }, sink) => {
    if (account !== undefined) sink.sample(account.messages);
  }),
  poolFamily(tidemarkMetrics.loadsUndecodable, ({ account }, sink) => {
    if (account !== undefined) sink.sample(account.failed);
  }),
  poolFamily(tidemarkMetrics.sequenceGaps, ({ account }, sink) => {
    if (account !== undefined) sink.sample(account.sequences.gaps);
  }),
  poolFamily(tidemarkMetrics.loadsMissing, ({ account }, sink) => {
    if (account === undefined) return;
    const { missing, missingDetached } = account.sequences;
    sink.sample(missingDetached, 'true');
    sink.sample(missing - missingDetached, 'false');
  }),
  poolFamily(tidemarkMetrics.publishersNotAccountable, ({ account }, sink) => {
    if (account !== undefined) sink.sample(account.publishers.notAccountable);
  }),
];

function poolFamily(metric: Metric, samples: (pool: PoolAtScrape, sink: SampleSink) => void): Family {
  return {
    metric,
    *samples(pools, sink) {
      for (const pool of pools) {
        sink.begin(metric, pool.labels);
        samples(pool, sink);
        yield;
      }
    },
  };
}

/** The statuses by source, within the limits of the label. */
function sourcesOf({
  snapshot,
}: PoolAtScrape): Map<string, { readonly state: SourceState; readonly since: number }> {
  const statuses = (snapshot?.status ?? []).slice(0, MAX_SOURCES);
  return new Map(statuses.map((status) => [status.source.slice(0, MAX_SOURCE_LENGTH), status]));
}

/** The metrics of tidemark for workers and ranks. */
const tidemarkFamilies: readonly Family[] = [
  workerFamily(tidemarkMetrics.busy, ({ ranks, worker, workerId }, sink) =>
    sink.sample(ranks.isBusy(worker) ? 1 : 0, workerId),
  ),
  workerFamily(tidemarkMetrics.busySince, ({ pool, ranks, worker, workerId }, sink) => {
    const since = ranks.busySince(worker);
    if (since !== null) sink.sample((since + pool.wallOffset) / 1000, workerId);
  }),
  {
    metric: tidemarkMetrics.ranksAboveThreshold,
    *samples(pools, sink) {
      for (const pool of pools) {
        if (pool.ranks === undefined) continue;
        sink.begin(tidemarkMetrics.ranksAboveThreshold, pool.labels);
        const { policy, thresholds: common } = pool.ranks;
        const checksOfPool = checksInForce(policy, common);
        const above = new Map<(typeof checksOfPool)[number], number>();
        for (const { ranks, worker, workerId } of eachWorker([pool])) {
          const thresholds = ranks.workerThresholds(worker);
          const checks = thresholds === common ? checksOfPool : checksInForce(policy, thresholds);
          above.clear();
          for (const check of checks) above.set(check, 0);
          if (ranks.isOverloadMarked(worker)) above.set('overload-mark', 1);
          for (let index = 0; index < ranks.rankCount(worker); index += 1) {
            if (!ranks.isRankBusy(worker, index)) continue;
            for (const { check, exceeded } of rankChecks(ranks.state(worker, index), thresholds, policy)) {
              if (exceeded) above.set(check, (above.get(check) ?? 0) + 1);
            }
          }
          for (const [check, count] of above) sink.sample(count, check, workerId);
          yield;
        }
      }
    },
  },
  rankFamily(tidemarkMetrics.kvUsedBlocks, ({ ranks, worker }, index) => ranks.kvUsedBlocks(worker, index)),
  rankFamily(tidemarkMetrics.signalAge, ({ pool, ranks, worker }, index) => {
    const age = ranks.age(worker, index, pool.now);
    return age === null ? null : age / 1000;
  }),
];

function workerFamily(metric: Metric, samples: (worker: WorkerOfPool, sink: SampleSink) => void): Family {
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

function rankFamily(metric: Metric, value: (worker: WorkerOfPool, index: number) => Count | null): Family {
  return {
    metric,
    *samples(pools, sink) {
      for (const pool of pools) {
        sink.begin(metric, pool.labels);
        for (const workerOfPool of eachWorker([pool])) {
          const { ranks, worker, workerId } = workerOfPool;
          for (let index = 0; index < ranks.rankCount(worker); index += 1) {
            const sample = value(workerOfPool, index);
            if (sample !== null) sink.sample(sample, String(ranks.rank(worker, index)), workerId);
            if (sink.full) yield;
          }
          yield;
        }
      }
    },
  };
}

/** How many workers are left out of Dynamo's gauges, which do not name the pool. It has no pool labels either. */
const leftOutFamily: Family = {
  metric: tidemarkMetrics.workersInSeveralPools,
  *samples(pools, sink) {
    if (pools.length === 0) return;
    const first = firstSeenIn(pools);
    let leftOut = 0;
    for (const { ranks, worker, workerId } of eachWorker(pools)) {
      if (!first(workerId, ranks.workerType(worker))) leftOut += 1;
      yield;
    }
    sink.begin(tidemarkMetrics.workersInSeveralPools, {});
    sink.sample(leftOut);
  },
};

/** All metrics of some pools, in the order of a page. */
export function familiesOf(pools: readonly PoolMetrics[]): readonly Family[] {
  return [
    ...loadFamilies,
    ...(pools.some(({ latencies }) => latencies !== undefined) ? latencyFamilies : []),
    leftOutFamily,
    ...poolFamilies,
    ...tidemarkFamilies,
    ...(pools.some(({ legacy }) => legacy !== undefined) ? legacyFamilies : []),
  ];
}
