import type { RuntimeConfig } from '../events/fleet-event.js';
import { type RankRange, declaredRanks, declaresNoRanks } from '../judgement/rank-state.js';
import type { WorkerId } from '../worker-id.js';
import { type LeavingWorker, planCleanups, roleOfPool } from './cleanup.js';
import { fleetProblems } from './fleet-problems.js';
import { type FleetStore, rangeOf, takeCapacities } from './fleet-store.js';
import { judgeQueued } from './judge-workers.js';
import { noRanks, ranksOutside, rememberDeclared, rememberedRanks } from './rank-memory.js';
import {
  CONFIG_LIMITS,
  COUNTED,
  DECODE,
  HAS_RANGE,
  JUDGED_BUSY,
  OVERLOAD_MARKED,
  POSSIBLE,
  PREFILL,
  REPORTED,
  REPORTED_END,
  REPORTED_LIMITS,
  REPORTED_START,
} from './worker-slots.js';
import { ensureState, forgetState, memoryOf, noteSettled, queue, renewRanks, touch } from './worker-state.js';

/** Stores the config that discovery reports for a worker. An impossible range is a problem, reported once. */
function noteConfig(store: FleetStore, id: WorkerId, config: RuntimeConfig): number {
  const { slots, policy } = store;
  const slot = slots.intern(id);
  const at = slots.at(slot);
  const range = declaredRanks(config, policy);
  const start = config.dataParallelStartRank ?? 0;
  const size = config.dataParallelSize ?? 1;
  if (range === undefined && policy.rankRange === 'checked-and-reported') {
    // An impossible range is stored as start and size, so that it is not reported again when the same config is repeated.
    const known = slots.has(slot, REPORTED) && !slots.has(slot, POSSIBLE);
    const same =
      (slots.words[at + REPORTED_START] ?? 0) >>> 0 === start &&
      (slots.words[at + REPORTED_END] ?? 0) >>> 0 === size;
    if (!known || !same) store.problems.push(fleetProblems.rankRange(id, config));
  }
  slots.words[at + REPORTED_START] = range?.start ?? start;
  slots.words[at + REPORTED_END] = range?.end ?? size;
  slots.words[at + REPORTED_LIMITS] = store.classes.intern(config.totalKvBlocks, config.maxNumBatchedTokens);
  slots.set(slot, REPORTED);
  slots.set(slot, POSSIBLE, range !== undefined);
  return slot;
}

/** Notes that discovery removed the config of a worker. */
function noteConfigRemoved(store: FleetStore, slot: number): void {
  store.slots.set(slot, REPORTED | POSSIBLE, false);
  store.maybeEmpty.push(slot);
}

/** The ranks that the reported config declares; valid only while its range is possible. */
function reportedRange({ slots }: FleetStore, slot: number): RankRange {
  const at = slots.at(slot);
  return {
    start: (slots.words[at + REPORTED_START] ?? 0) >>> 0,
    end: (slots.words[at + REPORTED_END] ?? 0) >>> 0,
  };
}

/** Whether the reported config does not count, but still says that the worker has no ranks. */
export function reportsNoRanks({ slots, policy }: FleetStore, slot: number): boolean {
  if (!slots.has(slot, REPORTED) || slots.has(slot, POSSIBLE)) return false;
  return declaresNoRanks(
    { dataParallelSize: (slots.words[slots.at(slot) + REPORTED_END] ?? 0) >>> 0 },
    policy,
  );
}

/** Whether the config of a worker counts under the policy. */
function isConfigCounted({ slots, policy, decodeSeen, prefillSeen }: FleetStore, slot: number): boolean {
  if (!slots.has(slot, POSSIBLE)) return false;
  switch (policy.configsThatCount) {
    case 'all':
      return true;
    case 'joined':
      return slots.has(slot, DECODE);
    case 'joined-with-both-roles':
      return (!decodeSeen && !prefillSeen) || slots.has(slot, DECODE | PREFILL);
  }
}

/**
 * Whether the join of configs and instances has a different result for a worker than before. The words of the reported
 * config are kept even when the state of the worker is forgotten.
 */
function hasJoinChanged(store: FleetStore, slot: number): boolean {
  const { slots } = store;
  const counts = isConfigCounted(store, slot);
  if (counts !== slots.has(slot, COUNTED)) return true;
  if (!counts) return false;
  const reported = reportedRange(store, slot);
  const present = rangeOf(store, slot);
  const at = slots.at(slot);
  return (
    reported.start !== present.start ||
    reported.end !== present.end ||
    slots.words[at + REPORTED_LIMITS] !== slots.words[at + CONFIG_LIMITS]
  );
}

/** Applies a snapshot of all configs. */
export function applyConfigs(store: FleetStore, workers: ReadonlyMap<WorkerId, RuntimeConfig>): void {
  const { slots } = store;
  const changed = new Set<number>();
  for (const slot of slots.all()) {
    if (!slots.has(slot, REPORTED) || workers.has(slots.id(slot))) continue;
    noteConfigRemoved(store, slot);
    changed.add(slot);
  }
  for (const [id, config] of workers) changed.add(noteConfig(store, id, config));
  afterConfigs(store, changed);
}

/** Applies one config that was added, replaced or removed. */
export function applyConfig(store: FleetStore, id: WorkerId, config: RuntimeConfig | null): void {
  if (config !== null) {
    afterConfigs(store, [noteConfig(store, id, config)]);
    return;
  }
  const slot = store.slots.find(id);
  if (slot !== -1) noteConfigRemoved(store, slot);
  afterConfigs(store, slot === -1 ? [] : [slot]);
}

/** Joins configs and instances again after a change of instances, if configs need an instance to count. */
export function rejoin(store: FleetStore, candidates: Iterable<number>): void {
  if (store.policy.configsThatCount === 'all' || !store.configsSeen) return;
  const changed = [...candidates].filter((slot) => hasJoinChanged(store, slot));
  if (changed.length > 0) recount(store, changed);
}

function afterConfigs(store: FleetStore, changed: Iterable<number>): void {
  const first = !store.configsSeen;
  store.configsSeen = true;
  // Without a source of configs, every worker with a load is known. The first config ends that.
  if (first) for (const slot of store.slots.all()) review(store, slot);
  if (store.policy.configsThatCount === 'all') recount(store, changed);
  else rejoin(store, changed);
}

/** Judges a worker again, since whether it is known may have changed. */
export function review(store: FleetStore, slot: number): void {
  noteSettled(store, slot);
  queue(store, slot);
}

/**
 * Applies again which configs count: for the workers in `changed` and the unsettled ones, or for all workers if applying
 * an unchanged config again has an effect.
 */
function recount(store: FleetStore, changed: Iterable<number>): void {
  const all = takesEffectAgain(store) ? [...store.slots.all()] : new Set([...changed, ...store.unsettled]);
  for (const slot of all) {
    if (isConfigCounted(store, slot)) takeConfig(store, slot);
    else loseConfig(store, slot);
  }
  judgeQueued(store, 'configs');
}

function takesEffectAgain({ policy }: FleetStore): boolean {
  return policy.capacity === 'merged'
    ? policy.cleanupOnRanksLeft !== 'none'
    : policy.decodeSignal === 'latched' ||
        policy.ranksJudged === 'reported' ||
        policy.cleanupOnRanksLeft === 'ranks-and-every-none';
}

function takeConfig(store: FleetStore, slot: number): void {
  const { slots, policy } = store;
  const range = reportedRange(store, slot);
  const remembered = memoryOf(store, slot);
  if (remembered !== undefined) cleanUpLeftRanks(store, slot, ranksOutside(remembered, range));
  slots.set(slot, COUNTED);
  ensureState(store, slot);
  if (policy.capacity === 'reconciled') store.memory.delete(slot);
  else if (remembered !== undefined) rememberOlderRanges(store, slot, range);
  takeCapacities(store, slot, range, slots.words[slots.at(slot) + REPORTED_LIMITS] ?? 0);
  renewRanks(store, slot, range);
  review(store, slot);
}

/** Remembers the current range too, if the new one does not contain it. */
function rememberOlderRanges(store: FleetStore, slot: number, range: RankRange): void {
  if (!store.slots.has(slot, HAS_RANGE)) return;
  const present = rangeOf(store, slot);
  if (present.start >= range.start && present.end <= range.end) return;
  store.memory.set(slot, rememberDeclared(store.memory.get(slot) ?? noRanks, present));
}

function loseConfig(store: FleetStore, slot: number): void {
  const { slots, policy } = store;
  if (policy.unknownWorkers.loads === 'held' && !slots.has(slot, COUNTED)) return;
  const remembered = memoryOf(store, slot);
  if (remembered !== undefined) {
    const { cleanupOnConfigRemoved } = policy;
    store.pendingCleanups.push(
      ...planCleanups(
        cleanupOnConfigRemoved,
        store.poolRole,
        leavingWorker(store, slot),
        rememberedRanks(remembered),
        null,
      ),
    );
    touch(store, slot);
    // A worker that lost its config stops being busy before the others are judged, so that alone is not a publication.
    if (policy.judgedOn.includes('configs')) slots.set(slot, JUDGED_BUSY, false);
    slots.set(slot, OVERLOAD_MARKED, false);
    store.overloadMarked.delete(slot);
  }
  slots.set(slot, COUNTED, false);
  store.memory.delete(slot);
  forgetState(store, slot);
  review(store, slot);
  store.maybeEmpty.push(slot);
}

function cleanUpLeftRanks(store: FleetStore, slot: number, ranks: readonly number[]): void {
  const worker = leavingWorker(store, slot);
  switch (store.policy.cleanupOnRanksLeft) {
    case 'none':
      return;
    case 'ranks':
      store.pendingCleanups.push(
        ...planCleanups({ types: 'known', withoutRank: false }, store.poolRole, worker, ranks, null),
      );
      return;
    case 'ranks-and-every-none':
      store.pendingCleanups.push({
        workerId: worker.workerId,
        types: [roleOfPool(store.poolRole)],
        ranks: [...ranks, 'none'],
      });
  }
}

/** A worker that leaves, and the roles that it has. */
export function leavingWorker({ slots }: FleetStore, slot: number): LeavingWorker {
  return { workerId: slots.id(slot), decode: slots.has(slot, DECODE), prefill: slots.has(slot, PREFILL) };
}
