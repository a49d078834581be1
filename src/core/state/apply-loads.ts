import type { Count } from '../count.js';
import type { LoadReceived, SchedulerLoad } from '../events/fleet-event.js';
import { type LoadBatch, type WorkerTable, columnsOf, rowValue } from '../events/load-batch.js';
import { fleetProblems } from './fleet-problems.js';
import { type FleetStore, declares } from './fleet-store.js';
import { judgeRank, moveLatch } from './judge-rank.js';
import { clearOverloadMarks, judgeNow, judgeQueued, removeOverloadMark } from './judge-workers.js';
import { ACTIVE, RECEIVED, TOKENS, USED, receiptOf } from './rank-cells.js';
import { HAS_RANGE, HAS_STATE, TableSlots } from './worker-slots.js';
import { cellOf, ensureState, forgetState, isKnown, queue } from './worker-state.js';

/** Applies one load. */
export function applyLoad(store: FleetStore, event: LoadReceived): void {
  if (!store.loadsOpen) return;
  if (event.topic !== undefined && event.topic !== 'kv_metrics') {
    store.problems.push(fleetProblems.foreignTopic(event.topic));
    return;
  }
  const slot = store.slots.intern(event.workerId);
  applyRankLoad(
    store,
    slot,
    event.dpRank,
    event.activeDecodeBlocks,
    event.activePrefillTokens,
    event.kvUsedBlocks,
  );
}

/** Applies one load of a worker whose slot is known: it is stored and judged, or ignored with a problem. */
function applyRankLoad(
  store: FleetStore,
  slot: number,
  rank: number,
  active: Count | null,
  tokens: Count | null,
  used: Count | null,
): void {
  if (!storeLoad(store, slot, rank, active, tokens, used)) return;
  if (!store.judgesLoads) {
    queue(store, slot);
    return;
  }
  if (store.overloadMarked.size > 0) endOverloadMarks(store, [slot]);
  judgeNow(store, slot);
}

/** Applies loads as the local scheduler counts them. Workers are judged even when all of the loads were ignored. */
export function applySchedulerLoads(store: FleetStore, loads: readonly SchedulerLoad[]): void {
  if (!store.policy.judgedOn.includes('schedulerLoads')) return;
  const slots = loads.map(({ workerId, dpRank, activeDecodeBlocks, activePrefillTokens }) => {
    const slot = store.slots.intern(workerId);
    if (storeLoad(store, slot, dpRank, activeDecodeBlocks, activePrefillTokens, null)) queue(store, slot);
    return slot;
  });
  endOverloadMarks(store, slots);
  judgeQueued(store, 'schedulerLoads');
}

function storeLoad(
  store: FleetStore,
  slot: number,
  rank: number,
  active: Count | null,
  tokens: Count | null,
  used: Count | null,
): boolean {
  const { policy, slots, cells } = store;
  if (policy.unknownWorkers.loads === 'dropped' && !isKnown(store, slot)) {
    store.problems.push(fleetProblems.unknownWorker(slots.id(slot)));
    store.maybeEmpty.push(slot);
    return false;
  }
  if (policy.ranksJudged === 'declared' && slots.has(slot, HAS_RANGE) && !declares(store, slot, rank)) {
    store.problems.push(fleetProblems.undeclaredRank(slots.id(slot), rank));
    return false;
  }
  if (!slots.has(slot, HAS_STATE)) ensureState(store, slot);
  const word = cellOf(store, slot, rank);
  cells.words[word + RECEIVED] = store.receipt;
  if (active !== null) cells.store(word + ACTIVE, active);
  if (tokens !== null) cells.store(word + TOKENS, tokens);
  if (used !== null && policy.decodeSignal !== 'active') cells.store(word + USED, used);
  moveLatch(store, word, active, used);
  judgeRank(store, slot, word);
  if (store.held.size > 0) makeRoom(store);
  return true;
}

function endOverloadMarks(store: FleetStore, slots: readonly number[]): void {
  const rule = store.policy.overloadMarks;
  if (rule === 'ignored') return;
  if (rule.until === 'publication') clearOverloadMarks(store);
  else for (const slot of slots) removeOverloadMark(store, slot);
}

/** Forgets the loads of the oldest unknown worker, if there are more than the policy allows. */
function makeRoom(store: FleetStore): void {
  const rule = store.policy.unknownWorkers;
  if (rule.loads !== 'held' || store.held.size <= rule.maximumWorkers) return;
  const [oldest] = store.held;
  if (oldest === undefined) return;
  store.memory.delete(oldest);
  forgetState(store, oldest);
  store.problems.push(fleetProblems.heldWorkerDropped(store.slots.id(oldest), rule.maximumWorkers));
}

/** Applies one row of a batch, with the same effect as the load that it represents. */
export function applyRow(store: FleetStore, batch: LoadBatch, row: number): void {
  if (!store.loadsOpen) return;
  const columns = columnsOf(batch);
  const slot = slotOf(store, columns.table, columns.worker[row] ?? 0);
  const rank = columns.dpRank[row] ?? 0;
  const active = rowValue(columns, columns.activeDecodeBlocks, row, 0);
  const tokens = rowValue(columns, columns.activePrefillTokens, row, 1);
  const used = rowValue(columns, columns.kvUsedBlocks, row, 2);
  store.receipt = receiptOf(columns.receivedAt ?? NaN);
  applyRankLoad(store, slot, rank, active, tokens, used);
}

function slotOf(store: FleetStore, table: WorkerTable, index: number): number {
  if (store.lastTable?.table !== table) {
    const known = store.tables.get(table) ?? new TableSlots(table);
    store.tables.set(table, known);
    store.lastTable = known;
  }
  return store.lastTable.slotOf(store.slots, index);
}
