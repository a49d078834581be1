import type { Count } from '../count.js';
import { fleetProblems } from '../fleet-problems.js';
import type { LoadReported, SchedulerLoad } from '../fleet-event.js';
import { declares } from './capacities.js';
import { clearMarks, judgeNow, judgeQueued, unmark } from './apply-marks.js';
import type { FleetStore } from './fleet-store.js';
import { judgeRank, moveLatch } from './judge-rank.js';
import { ACTIVE, RECEIVED, TOKENS, USED } from './rank-cells.js';
import { cellOf } from './rank-block.js';
import { ensureState, forgetState, isKnown, queue } from './worker-state.js';
import { HAS_RANGE, HAS_STATE } from './worker-slots.js';

/** One report arrived. */
export function applyLoad(store: FleetStore, event: LoadReported): void {
  if (!store.loadsOpen) return;
  if (event.topic !== undefined && event.topic !== 'kv_metrics') {
    store.problems.push(fleetProblems.foreignTopic(event.topic));
    return;
  }
  const slot = store.slots.intern(event.workerId);
  reportOne(
    store,
    slot,
    event.dpRank,
    event.activeDecodeBlocks,
    event.activePrefillTokens,
    event.kvUsedBlocks,
  );
}

/** One report of a worker whose slot is known: it is stored and judged, or dropped and told. */
export function reportOne(
  store: FleetStore,
  slot: number,
  rank: number,
  active: Count | null,
  tokens: Count | null,
  used: Count | null,
): void {
  if (!storeReport(store, slot, rank, active, tokens, used)) return;
  if (!store.judgesLoads) {
    queue(store, slot);
    return;
  }
  if (store.marked.size > 0) endMarks(store, [slot]);
  judgeNow(store, slot);
}

/** A batch of the local scheduler's bookkeeping arrived. It judges and publishes even when all of it was dropped. */
export function applySchedulerLoads(store: FleetStore, loads: readonly SchedulerLoad[]): void {
  if (!store.policy.judgedOn.includes('schedulerLoads')) return;
  const slots = loads.map(({ workerId, dpRank, activeDecodeBlocks, activePrefillTokens }) => {
    const slot = store.slots.intern(workerId);
    if (storeReport(store, slot, dpRank, activeDecodeBlocks, activePrefillTokens, null)) queue(store, slot);
    return slot;
  });
  endMarks(store, slots);
  judgeQueued(store, 'schedulerLoads');
}

function storeReport(
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

function endMarks(store: FleetStore, reported: readonly number[]): void {
  const rule = store.policy.requestMarks;
  if (rule === 'ignored') return;
  if (rule.until === 'publication') clearMarks(store);
  else for (const slot of reported) unmark(store, slot);
}

/** Held loads are bounded: beyond the policy's number of unknown workers the oldest is dropped. */
function makeRoom(store: FleetStore): void {
  const rule = store.policy.unknownWorkers;
  if (rule.loads !== 'held' || store.held.size <= rule.maximumWorkers) return;
  const [oldest] = store.held;
  if (oldest === undefined) return;
  store.memory.delete(oldest);
  forgetState(store, oldest);
  store.problems.push(fleetProblems.heldWorkerDropped(store.slots.id(oldest), rule.maximumWorkers));
}
