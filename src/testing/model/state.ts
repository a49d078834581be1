import type { Count } from '../../core/count.js';
import type { FleetStart, PoolRole, RuntimeConfig } from '../../core/events/fleet-event.js';
import { decodeLimit } from '../../core/judgement/rank-checks.js';
import {
  type DecodeLatch,
  type RankRange,
  type RankState,
  type RankStates,
  inRange,
  openLatch,
  updateLatch,
} from '../../core/judgement/rank-state.js';
import type { LoadPolicy } from '../../core/policy/load-policy.js';
import { LoadThresholdConfig } from '../../core/policy/load-threshold-config.js';
import type { WorkerState } from '../../core/judgement/worker-state.js';
import type { LoadThresholds, LoadThresholdUpdate } from '../../core/policy/load-thresholds.js';
import type { Problem } from '../../core/sources/problem.js';
import type { LeavingWorker, PendingCleanup } from '../../core/state/cleanup.js';
import type { LoadSignal } from '../../core/state/missing-signals.js';
import type { RankMemory } from '../../core/state/rank-memory.js';
import type { WorkerId } from '../../core/worker-id.js';

/** A copy of the map with one entry set. */
export function withEntry<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map(map).set(key, value);
}

/** The entries of the map whose keys pass. */
export function onlyKeys<K, V>(map: ReadonlyMap<K, V>, keep: (key: K) => boolean): ReadonlyMap<K, V> {
  return new Map([...map].filter(([key]) => keep(key)));
}

/** The elements of the set that pass. */
export function only<T>(set: Iterable<T>, keep: (element: T) => boolean): ReadonlySet<T> {
  return new Set([...set].filter(keep));
}

/** A copy of the set with or without one element. */
export function withMember<T>(set: ReadonlySet<T> | null, element: T, present: boolean): ReadonlySet<T> {
  const others = only(set ?? [], (member) => member !== element);
  return present ? new Set([...others, element]) : others;
}

/** A config that counts, with the ranks that it declares. */
export interface CountedConfig {
  readonly config: RuntimeConfig;
  readonly range: RankRange;
}

/** The open prefill watch, and the one that waits for it to close. Watches are numbered from 0. */
export interface ModelPrefillWatches {
  readonly attached: number;
  readonly open: number | null;
  readonly waiting: { readonly watch: number; readonly workerIds: ReadonlySet<WorkerId> } | null;
}

/** Everything the reference model knows. Immutable: a step makes a new one. */
export interface ModelState {
  readonly policy: LoadPolicy;
  readonly poolRole: PoolRole;
  readonly phase: 'running' | 'ended' | 'stopped';
  readonly loadsOpen: boolean;
  readonly thresholds: LoadThresholdConfig;
  /** The thresholds that workers have of their own, whether they are present or not. */
  readonly ownThresholds: ReadonlyMap<WorkerId, LoadThresholdUpdate>;
  /** Every config that discovery reported; `null` before the first event of a source of configs. */
  readonly configs: ReadonlyMap<WorkerId, RuntimeConfig> | null;
  readonly counted: ReadonlyMap<WorkerId, CountedConfig>;
  /** The instances of the pool's endpoint and of the prefill watch; `null` without such a source. */
  readonly decode: ReadonlySet<WorkerId> | null;
  readonly prefill: ReadonlySet<WorkerId> | null;
  readonly watches: ModelPrefillWatches;
  readonly down: ReadonlySet<WorkerId>;
  readonly workers: ReadonlyMap<WorkerId, ModelWorker>;
  readonly memory: ReadonlyMap<WorkerId, RankMemory>;
  /** How the workers were last judged. One that is not in it is what the policy says about a worker without evidence. */
  readonly judged: ReadonlyMap<WorkerId, WorkerState>;
  /** The workers with an overload mark. */
  readonly overloadMarked: ReadonlySet<WorkerId>;
  /** The number of loads that were stored, the signals that they had, and the thresholds whose missing signal was reported. */
  readonly loads: number;
  readonly signals: ReadonlySet<LoadSignal>;
  readonly reported: ReadonlySet<keyof LoadThresholds>;
  /** The published states, as in `judged`. */
  readonly states: ReadonlyMap<WorkerId, WorkerState>;
  /** The published busy workers, and when each one became busy. */
  readonly busy: ReadonlyMap<WorkerId, number>;
}

/** The state during an event, with the cleanups and the problems so far. */
export interface Change {
  readonly state: ModelState;
  readonly pendingCleanups: readonly PendingCleanup[];
  readonly problems: readonly Problem[];
}

/** The state before the first event. */
export function initialState(policy: LoadPolicy, start: FleetStart = {}): ModelState {
  const prefill = start.prefillInstances === undefined ? null : new Set(start.prefillInstances);
  const attached = prefill !== null && policy.prefillWatches !== 'none';
  return {
    policy,
    poolRole: start.role ?? 'aggregated',
    phase: 'running',
    loadsOpen: start.loads !== false,
    thresholds: LoadThresholdConfig.defaults(policy).update(start.thresholds ?? {}),
    ownThresholds: new Map(),
    configs: start.configs === true ? new Map() : null,
    counted: new Map(),
    decode: start.decodeInstances === undefined ? null : new Set(start.decodeInstances),
    prefill: attached ? prefill : null,
    watches: { attached: prefill === null ? 0 : 1, open: attached ? 0 : null, waiting: null },
    down: new Set(),
    workers: new Map(),
    memory: new Map(),
    judged: new Map(),
    overloadMarked: new Set(),
    loads: 0,
    signals: new Set(),
    reported: new Set(),
    states: new Map(),
    busy: new Map(),
  };
}

/** The change with some fields of its state replaced. */
export function changed(change: Change, fields: Partial<ModelState>): Change {
  return { ...change, state: { ...change.state, ...fields } };
}

/** The thresholds in force for a worker: its own, and those of the pool for the others. */
export function thresholdsOf({ thresholds, ownThresholds }: ModelState, id: WorkerId): LoadThresholdConfig {
  return thresholds.update(ownThresholds.get(id) ?? {}, true);
}

/** The change with one more problem. */
export function withProblem(change: Change, problem: Problem): Change {
  return { ...change, problems: [...change.problems, problem] };
}

/** A worker that leaves, and the roles that it had. */
export function leavingWorker(state: ModelState, workerId: WorkerId): LeavingWorker {
  return {
    workerId,
    decode: state.decode?.has(workerId) === true,
    prefill: state.prefill?.has(workerId) === true,
  };
}

/** Whether a worker is an instance that can receive requests. */
export function isAvailable(state: ModelState, id: WorkerId): boolean {
  return (state.decode?.has(id) === true || state.prefill?.has(id) === true) && !state.down.has(id);
}

/** Whether a worker is known under the policy, and therefore judged. */
export function isKnown(state: ModelState, id: WorkerId): boolean {
  const rule = state.policy.unknownWorkers;
  if (rule.loads === 'tracked') return true;
  if (rule.loads === 'dropped') return state.decode?.has(id) === true && !state.down.has(id);
  if (state.configs !== null) return state.counted.has(id);
  return (state.decode === null && state.prefill === null) || isInstance(state, id);
}

/** Whether a worker is an instance in either role. */
export function isInstance(state: ModelState, id: WorkerId): boolean {
  return state.decode?.has(id) === true || state.prefill?.has(id) === true;
}

/** The last values of one rank. */
export interface ReportedRank {
  readonly activeDecodeBlocks: Count | null;
  readonly activePrefillTokens: Count | null;
  readonly kvUsedBlocks: Count | null;
  readonly latch: DecodeLatch | null;
}

/** The capacities that a config gives to a range of ranks. */
export interface Capacity {
  readonly range: RankRange;
  readonly totalKvBlocks: Count | undefined;
  readonly maxNumBatchedTokens: Count | undefined;
}

/** One worker of the model: the values of its ranks, and what its configs said. The newest capacities are last and win. */
export interface ModelWorker {
  readonly declared: RankRange | null;
  readonly capacities: readonly Capacity[];
  readonly ranks: ReadonlyMap<number, ReportedRank>;
}

/** The values of one load. */
export type RankValues = Omit<ReportedRank, 'latch'>;

/** A worker about which nothing is known. */
export const newWorker: ModelWorker = { declared: null, capacities: [], ranks: new Map() };

const silent: ReportedRank = {
  activeDecodeBlocks: null,
  activePrefillTokens: null,
  kvUsedBlocks: null,
  latch: null,
};

/** The worker after one load of one rank. Absent values keep the old ones; the latch sees only the given values. */
export function updateRank(
  worker: ModelWorker,
  rank: number,
  values: RankValues,
  thresholds: LoadThresholds,
  policy: LoadPolicy,
): ModelWorker {
  const before = worker.ranks.get(rank) ?? silent;
  const used = policy.decodeSignal === 'active' ? null : values.kvUsedBlocks;
  const isAbove = aboveDecodeThreshold(worker, rank, thresholds, policy);
  const after: ReportedRank = {
    activeDecodeBlocks: values.activeDecodeBlocks ?? before.activeDecodeBlocks,
    activePrefillTokens: values.activePrefillTokens ?? before.activePrefillTokens,
    kvUsedBlocks: used ?? before.kvUsedBlocks,
    latch:
      isAbove === null
        ? before.latch
        : updateLatch(before.latch ?? openLatch, values.activeDecodeBlocks, values.kvUsedBlocks, isAbove),
  };
  return { ...worker, ranks: withEntry(worker.ranks, rank, after) };
}

/**
 * The worker under a new config.
 *
 * 1. `merged`: the capacities of the config cover the existing ones; nothing else changes.
 * 2. `reconciled`: ranks outside the config are forgotten, its capacities replace all others, and each latch is recomputed
 *    from the stored values.
 */
export function applyConfig(
  worker: ModelWorker,
  counted: CountedConfig,
  thresholds: LoadThresholds,
  policy: LoadPolicy,
): ModelWorker {
  const { totalKvBlocks, maxNumBatchedTokens } = counted.config;
  const capacity: Capacity = { range: counted.range, totalKvBlocks, maxNumBatchedTokens };
  if (policy.capacity === 'merged') {
    const visible = worker.capacities.filter((older) => !covers(capacity, older));
    return { ...worker, declared: counted.range, capacities: [...visible, capacity] };
  }
  const reconciled: ModelWorker = {
    declared: counted.range,
    capacities: [capacity],
    ranks: onlyKeys(worker.ranks, (rank) => inRange(rank, counted.range)),
  };
  const ranks = new Map<number, ReportedRank>();
  for (const [rank, stored] of reconciled.ranks) {
    const isAbove = aboveDecodeThreshold(reconciled, rank, thresholds, policy);
    const latch =
      isAbove === null
        ? null
        : updateLatch(openLatch, stored.activeDecodeBlocks, stored.kvUsedBlocks, isAbove);
    ranks.set(rank, { ...stored, latch });
  }
  return { ...reconciled, ranks };
}

/** The worker in the form that the judgement takes: each rank with its capacities. */
export function rankStatesOf(worker: ModelWorker): RankStates {
  const ranks = new Map<number, RankState>();
  for (const [rank, reported] of worker.ranks) {
    const totalKvBlocks = newest(worker, rank, 'totalKvBlocks');
    ranks.set(rank, {
      ...reported,
      totalKvBlocks,
      maxNumBatchedTokens: newest(worker, rank, 'maxNumBatchedTokens'),
    });
  }
  return { declared: worker.declared, ranks };
}

/** The comparison of the latch; `null` when there is no latch. */
function aboveDecodeThreshold(
  worker: ModelWorker,
  rank: number,
  thresholds: LoadThresholds,
  policy: LoadPolicy,
): ((value: Count) => boolean) | null {
  const total = newest(worker, rank, 'totalKvBlocks');
  const threshold = thresholds.activeDecodeBlocksThreshold;
  if (policy.decodeSignal !== 'latched' || threshold === null || total === null || Number(total) === 0)
    return null;
  return (value) => Number(value) > decodeLimit(threshold, total);
}

function newest(
  worker: ModelWorker,
  rank: number,
  field: 'totalKvBlocks' | 'maxNumBatchedTokens',
): Count | null {
  return (
    worker.capacities.findLast((layer) => layer[field] !== undefined && inRange(rank, layer.range))?.[
      field
    ] ?? null
  );
}

/** Whether newer capacities cover older ones completely. Covered ones are removed, so that flapping configs do not pile up. */
function covers(newer: Capacity, older: Capacity): boolean {
  return (
    newer.range.start <= older.range.start &&
    newer.range.end >= older.range.end &&
    (newer.totalKvBlocks !== undefined || older.totalKvBlocks === undefined) &&
    (newer.maxNumBatchedTokens !== undefined || older.maxNumBatchedTokens === undefined)
  );
}
