import type { Count } from '../count.js';
import type { RankRange } from '../judgement/rank-state.js';
import type { WorkerState } from '../judgement/worker-state.js';
import { limitsOf } from './capacities.js';
import type { FleetStore } from './fleet-store.js';

/** Stores the values of a load for its rank, and judges the rank again. `null` keeps the last value. */
export function takeValues(
  store: FleetStore,
  slot: number,
  rank: number,
  active: Count | null,
  tokens: Count | null,
  used: Count | null,
): void {
  const { workers, policy } = store;
  const found = workers.findCell(slot, rank);
  const cell = found === -1 ? addCell(store, slot, rank) : found;
  workers.storeLoad(cell, active, tokens, policy.decodeSignal === 'active' ? null : used);
  if (policy.decodeSignal === 'latched') moveLatch(store, cell, active, used);
  judgeRank(store, slot, cell);
}

/** Applies a new config to the ranks that have values, and judges them again. */
export function renewRanks(store: FleetStore, slot: number, range: RankRange): void {
  const { workers, policy } = store;
  const { ranks } = workers;
  const reconciles = policy.capacity === 'reconciled';
  if (reconciles) workers.keepRanks(slot, range);
  for (let cell = workers.firstCell(slot); cell < workers.endCell(slot); cell += 1) {
    workers.setLimits(cell, limitsOf(store, slot, ranks.rank(cell)));
    if (reconciles) {
      workers.removeLatch(cell);
      if (policy.decodeSignal === 'latched')
        moveLatch(store, cell, ranks.activeDecodeBlocks(cell), ranks.kvUsedBlocks(cell));
    }
    judgeRank(store, slot, cell);
  }
}

/** Judges all ranks of a worker again. */
export function judgeRanks(store: FleetStore, slot: number): void {
  const { workers } = store;
  for (let cell = workers.firstCell(slot); cell < workers.endCell(slot); cell += 1)
    judgeRank(store, slot, cell);
}

/** Moves the ranks of a worker to the classes of its thresholds, and judges them again. */
export function moveRanks(store: FleetStore, slot: number): void {
  const { workers } = store;
  for (let cell = workers.firstCell(slot); cell < workers.endCell(slot); cell += 1)
    workers.setLimits(cell, limitsOf(store, slot, workers.ranks.rank(cell)));
  judgeRanks(store, slot);
}

/** Makes a cell for a rank, with room for all ranks that the newest config declares. */
function addCell(store: FleetStore, slot: number, rank: number): number {
  const { workers } = store;
  const expected = workers.hasRange(slot) ? workers.rangeSize(slot) : 1;
  return workers.addCell(slot, rank, limitsOf(store, slot, rank), expected);
}

/** Judges one rank again. */
function judgeRank(store: FleetStore, slot: number, cell: number): void {
  store.workers.judgeRank(slot, cell, countsInJudgement(store, slot, cell) ? stateOf(store, cell) : null);
}

/** Judges the values of a rank. */
function stateOf(store: FleetStore, cell: number): WorkerState {
  if (isAboveThreshold(store, cell)) return 'busy';
  return store.policy.withoutEvidence === 'free' || hasEvidence(store, cell) ? 'free' : 'unknown';
}

/** Whether at least one set threshold can be compared with a value of a rank. */
function hasEvidence({ workers, classes, policy }: FleetStore, cell: number): boolean {
  const { ranks } = workers;
  const limits = ranks.limits(cell);
  if (ranks.activePrefillTokens(cell) !== null && classes.exactTokens[limits] !== null) return true;
  if (classes.judgesBlocks[limits] !== true) return false;
  if (ranks.activeDecodeBlocks(cell) !== null) return true;
  return policy.decodeSignal !== 'active' && ranks.kvUsedBlocks(cell) !== null;
}

/** Updates the latch of a rank with the values of one load. Without total blocks and a decode threshold there is no latch. */
function moveLatch(store: FleetStore, cell: number, active: Count | null, used: Count | null): void {
  const { workers, classes } = store;
  const { ranks } = workers;
  const limits = ranks.limits(cell);
  if (classes.judgesBlocks[limits] !== true) return;
  const limit = classes.blocks[limits] ?? Infinity;
  const isActiveCleared = active === null ? ranks.isActiveCleared(cell) : !isAbove(active, limit);
  const isUsedCleared = used === null ? ranks.isUsedCleared(cell) : !isAbove(used, limit);
  const closes = isAbove(active, limit) || isAbove(used, limit);
  const opens = isActiveCleared && isUsedCleared;
  workers.setLatch(cell, closes || (ranks.isLatched(cell) && !opens), isActiveCleared, isUsedCleared);
}

/** A rank counts when it has a value that the policy uses and, if the policy judges declared ranks, is declared. */
function countsInJudgement({ workers, policy }: FleetStore, slot: number, cell: number): boolean {
  const { ranks } = workers;
  const reported =
    ranks.hasActiveOrTokens(cell) ||
    (policy.decodeSignal !== 'active' && (ranks.kvUsedBlocks(cell) !== null || ranks.hasLatch(cell)));
  if (!reported || policy.ranksJudged === 'reported' || !workers.hasRange(slot)) return reported;
  return workers.declares(slot, ranks.rank(cell));
}

function isAboveThreshold({ workers, classes, policy }: FleetStore, cell: number): boolean {
  const { ranks } = workers;
  const limits = ranks.limits(cell);
  const tokens = ranks.activePrefillTokens(cell);
  if (typeof tokens === 'number') {
    if (tokens > (classes.tokens[limits] ?? Infinity)) return true;
  } else if (tokens !== null) {
    const exact = classes.exactTokens[limits] ?? null;
    if (exact !== null && tokens > exact) return true;
  }
  const limit = classes.blocks[limits] ?? Infinity;
  if (limit === Infinity) return false;
  const active = ranks.activeDecodeBlocks(cell);
  if (policy.decodeSignal === 'active') return isAbove(active, limit);
  const used = ranks.kvUsedBlocks(cell);
  if (policy.decodeSignal === 'used-else-active') return isAbove(used ?? active, limit);
  if (ranks.hasLatch(cell)) return ranks.isLatched(cell);
  return isAbove(used, limit) || isAbove(active, limit);
}

/** Whether blocks are above a limit, compared as binary64. An absent value is above no limit. */
function isAbove(blocks: Count | null, limit: number): boolean {
  if (typeof blocks === 'number') return blocks > limit;
  return blocks !== null && Number(blocks) > limit;
}
