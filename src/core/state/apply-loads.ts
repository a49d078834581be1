import type { Count } from '../count.js';
import type { LoadReceived, SchedulerLoad } from '../events/fleet-event.js';
import { type LoadBatch, type WorkerTable, columnsOf, rowValue } from '../events/load-batch.js';
import { fleetProblems } from './fleet-problems.js';
import type { FleetStore } from './fleet-store.js';
import { takeValues } from './judge-rank.js';
import { clearOverloadMarks, judgeQueued } from './judge-workers.js';
import { isKnown } from './known-workers.js';
import { TableSlots } from './storage/table-slots.js';

/** Applies one load. */
export function applyLoad(store: FleetStore, event: LoadReceived): void {
  if (!store.loadsOpen) return;
  if (event.topic !== undefined && event.topic !== 'kv_metrics') {
    store.problems.push(fleetProblems.foreignTopic(event.topic));
    return;
  }
  const slot = store.workers.intern(event.workerId);
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
  if (!storeLoad(store, slot, rank, active, tokens, used) || !store.judgesLoads) return;
  if (store.workers.overloadMarked.size > 0) endOverloadMarks(store, [slot]);
  judgeQueued(store, 'load');
}

/** Applies loads as the local scheduler counts them. Workers are judged even when all of the loads were ignored. */
export function applySchedulerLoads(store: FleetStore, loads: readonly SchedulerLoad[]): void {
  if (!store.policy.judgedOn.includes('schedulerLoads')) return;
  const slots = loads.map(({ workerId, dpRank, activeDecodeBlocks, activePrefillTokens }) => {
    const slot = store.workers.intern(workerId);
    storeLoad(store, slot, dpRank, activeDecodeBlocks, activePrefillTokens, null);
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
  const { policy, workers } = store;
  if (policy.unknownWorkers.loads === 'dropped' && !isKnown(workers, policy, slot)) {
    store.problems.push(fleetProblems.unknownWorker(workers.id(slot)));
    return false;
  }
  if (policy.ranksJudged === 'declared' && workers.hasRange(slot) && !workers.declares(slot, rank)) {
    store.problems.push(fleetProblems.undeclaredRank(workers.id(slot), rank));
    return false;
  }
  workers.createState(slot);
  takeValues(store, slot, rank, active, tokens, used);
  if (workers.held.size > 0) makeRoom(store);
  if (store.signals.hear(active, tokens, used)) {
    for (const thresholds of [store.thresholds, ...store.ownThresholds.copy().values()])
      store.problems.push(...store.signals.report(thresholds, policy));
  }
  return true;
}

function endOverloadMarks(store: FleetStore, slots: readonly number[]): void {
  const rule = store.policy.overloadMarks;
  if (rule === 'ignored') return;
  if (rule.until === 'publication') clearOverloadMarks(store);
  else for (const slot of slots) store.workers.setOverloadMark(slot, false);
}

/** Forgets the loads of the oldest unknown worker, if there are more than the policy allows. */
function makeRoom(store: FleetStore): void {
  const { workers, policy, problems } = store;
  const rule = policy.unknownWorkers;
  if (rule.loads !== 'held' || workers.held.size <= rule.maximumWorkers) return;
  const [oldest] = workers.held;
  if (oldest === undefined) return;
  workers.rememberOlder(oldest, undefined);
  workers.forgetState(oldest);
  problems.push(fleetProblems.heldWorkerDropped(workers.id(oldest), rule.maximumWorkers));
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
  store.workers.receivedAt(columns.receivedAt ?? NaN);
  applyRankLoad(store, slot, rank, active, tokens, used);
}

function slotOf(store: FleetStore, table: WorkerTable, index: number): number {
  if (store.lastTable?.table !== table) {
    const known = store.tables.get(table) ?? new TableSlots(table);
    store.tables.set(table, known);
    store.lastTable = known;
  }
  return store.lastTable.slotOf(store.workers, index);
}
