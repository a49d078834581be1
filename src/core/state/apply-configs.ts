import type { RuntimeConfig } from '../events/fleet-event.js';
import { type RankRange, declaredRanks, declaresNoRanks } from '../judgement/rank-state.js';
import type { WorkerId } from '../worker-id.js';
import { takeCapacities } from './capacities.js';
import { roleOfPool } from './cleanup.js';
import { fleetProblems } from './fleet-problems.js';
import type { FleetStore } from './fleet-store.js';
import { renewRanks } from './judge-rank.js';
import { judgeQueued } from './judge-workers.js';
import { memoryOf, planLeaving } from './leaving.js';
import { noRanks, ranksOutside, rememberDeclared, rememberedRanks } from './rank-memory.js';

/** Stores the config that discovery reports for a worker. An impossible range is a problem, reported once. */
function noteConfig(
  { workers, classes, policy, problems }: FleetStore,
  id: WorkerId,
  config: RuntimeConfig,
): number {
  const slot = workers.intern(id);
  const range = declaredRanks(config, policy);
  // An impossible range is stored as start and size, so that it is not reported again when the same config is repeated.
  const stored = range ?? { start: config.dataParallelStartRank ?? 0, end: config.dataParallelSize ?? 1 };
  if (range === undefined && policy.rankRange === 'checked-and-reported') {
    const known = workers.hasConfig(slot) && !workers.hasPossibleConfig(slot);
    const { start, end } = workers.reportedRange(slot);
    if (!known || start !== stored.start || end !== stored.end)
      problems.push(fleetProblems.rankRange(id, config));
  }
  const limits = classes.intern(config.totalKvBlocks, config.maxNumBatchedTokens);
  workers.reportConfig(slot, stored, range !== undefined, limits);
  return slot;
}

/** Whether the reported config does not count, but still says that the worker has no ranks. */
export function reportsNoRanks({ workers, policy }: FleetStore, slot: number): boolean {
  if (!workers.hasConfig(slot) || workers.hasPossibleConfig(slot)) return false;
  return declaresNoRanks({ dataParallelSize: workers.reportedRange(slot).end }, policy);
}

/** Whether the config of a worker counts under the policy. */
function isConfigCounted({ workers, policy }: FleetStore, slot: number): boolean {
  if (!workers.hasPossibleConfig(slot)) return false;
  switch (policy.configsThatCount) {
    case 'all':
      return true;
    case 'joined':
      return workers.hasRole(slot, 'decode');
    case 'joined-with-both-roles':
      return (!workers.hasSeen('decode') && !workers.hasSeen('prefill')) || workers.hasInstance(slot);
  }
}

/**
 * Whether the join of configs and instances has a different result for a worker than before. The reported config is kept
 * even when the state of the worker is forgotten.
 */
function hasJoinChanged(store: FleetStore, slot: number): boolean {
  const { workers } = store;
  const counts = isConfigCounted(store, slot);
  if (counts !== workers.isCounted(slot)) return true;
  if (!counts) return false;
  const reported = workers.reportedRange(slot);
  const present = workers.range(slot);
  return (
    reported.start !== present.start ||
    reported.end !== present.end ||
    workers.reportedLimits(slot) !== workers.configLimits(slot)
  );
}

/** Applies a snapshot of all configs. */
export function applyConfigs(store: FleetStore, configs: ReadonlyMap<WorkerId, RuntimeConfig>): void {
  const { workers } = store;
  const changed = new Set<number>();
  for (const slot of workers.all()) {
    if (!workers.hasConfig(slot) || configs.has(workers.id(slot))) continue;
    workers.removeConfig(slot);
    changed.add(slot);
  }
  for (const [id, config] of configs) changed.add(noteConfig(store, id, config));
  afterConfigs(store, changed);
}

/** Applies one config that was added, replaced or removed. */
export function applyConfig(store: FleetStore, id: WorkerId, config: RuntimeConfig | null): void {
  if (config !== null) {
    afterConfigs(store, [noteConfig(store, id, config)]);
    return;
  }
  const slot = store.workers.find(id);
  if (slot !== -1) store.workers.removeConfig(slot);
  afterConfigs(store, slot === -1 ? [] : [slot]);
}

/** Joins configs and instances again after a change of instances, if configs need an instance to count. */
export function rejoin(store: FleetStore, candidates: Iterable<number>): void {
  if (store.policy.configsThatCount === 'all' || !store.workers.hasSeen('configs')) return;
  const changed = [...candidates].filter((slot) => hasJoinChanged(store, slot));
  if (changed.length > 0) recount(store, changed);
}

function afterConfigs(store: FleetStore, changed: Iterable<number>): void {
  // Without a source of configs, every worker with a load is known. The first config ends that.
  store.workers.see('configs');
  if (store.policy.configsThatCount === 'all') recount(store, changed);
  else rejoin(store, changed);
}

/**
 * Applies again which configs count: for the workers in `changed` and the unsettled ones, or for all workers if applying
 * an unchanged config again has an effect.
 */
function recount(store: FleetStore, changed: Iterable<number>): void {
  const { workers } = store;
  const all = takesEffectAgain(store) ? [...workers.all()] : new Set([...changed, ...workers.unsettled]);
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
  const { workers, policy } = store;
  const range = workers.reportedRange(slot);
  const remembered = memoryOf(store, slot);
  if (remembered !== undefined) cleanUpLeftRanks(store, slot, ranksOutside(remembered, range));
  workers.setCounted(slot, true);
  workers.createState(slot);
  if (policy.capacity === 'reconciled') workers.rememberOlder(slot, undefined);
  else if (remembered !== undefined) rememberOlderRanges(store, slot, range);
  takeCapacities(store, slot, range, workers.reportedLimits(slot));
  renewRanks(store, slot, range);
}

/** Remembers the current range too, if the new one does not contain it. */
function rememberOlderRanges({ workers }: FleetStore, slot: number, range: RankRange): void {
  if (!workers.hasRange(slot)) return;
  const present = workers.range(slot);
  if (present.start >= range.start && present.end <= range.end) return;
  workers.rememberOlder(slot, rememberDeclared(workers.olderMemory(slot) ?? noRanks, present));
}

function loseConfig(store: FleetStore, slot: number): void {
  const { workers, policy } = store;
  if (policy.unknownWorkers.loads === 'held' && !workers.isCounted(slot)) return;
  const remembered = memoryOf(store, slot);
  if (remembered !== undefined) {
    planLeaving(store, slot, policy.cleanupOnConfigRemoved, rememberedRanks(remembered), null);
    // A worker that lost its config stops being busy before the others are judged, so that alone is not a publication.
    if (policy.judgedOn.includes('configs')) workers.forgetJudgement(slot);
    workers.setOverloadMark(slot, false);
  }
  workers.setCounted(slot, false);
  workers.rememberOlder(slot, undefined);
  workers.forgetState(slot);
}

function cleanUpLeftRanks(store: FleetStore, slot: number, ranks: readonly number[]): void {
  switch (store.policy.cleanupOnRanksLeft) {
    case 'none':
      return;
    case 'ranks':
      return planLeaving(store, slot, { types: 'known', withoutRank: false }, ranks, null);
    case 'ranks-and-every-none':
      store.pendingCleanups.push({
        workerId: store.workers.id(slot),
        types: [roleOfPool(store.poolRole)],
        ranks: [...ranks, 'none'],
      });
  }
}
