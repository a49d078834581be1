import type { JudgedOn } from '../policy/load-policy.js';
import type { WorkerId } from '../worker-id.js';
import type { FleetStore } from './fleet-store.js';
import { judgeRanks } from './judge-rank.js';
import { HAS_STATE, JUDGED_BUSY, OVERLOAD_MARKED, TO_JUDGE } from './worker-slots.js';
import { isAboveThresholds, isKnown, queue, touch } from './worker-state.js';

/** Sets the overload mark of a worker. */
export function applyOverloadMark(store: FleetStore, id: WorkerId): void {
  if (store.policy.overloadMarks === 'ignored') return;
  const slot = store.slots.intern(id);
  if (store.slots.has(slot, OVERLOAD_MARKED)) return;
  touch(store, slot);
  store.slots.set(slot, OVERLOAD_MARKED);
  store.overloadMarked.add(slot);
}

/** Removes an overload mark whose time is over. */
export function applyOverloadMarkExpired(store: FleetStore, id: WorkerId): void {
  const rule = store.policy.overloadMarks;
  if (rule === 'ignored' || rule.maximumMs === null) return;
  const slot = store.slots.find(id);
  if (slot !== -1) removeOverloadMark(store, slot);
}

/** Removes the overload mark of a worker. */
export function removeOverloadMark(store: FleetStore, slot: number): void {
  if (!store.slots.has(slot, OVERLOAD_MARKED)) return;
  touch(store, slot);
  store.slots.set(slot, OVERLOAD_MARKED, false);
  store.overloadMarked.delete(slot);
  store.maybeEmpty.push(slot);
}

/** Removes all overload marks. */
export function clearOverloadMarks(store: FleetStore): void {
  for (const slot of [...store.overloadMarked]) removeOverloadMark(store, slot);
}

/**
 * Judges every worker whose judgement may have changed, if the policy judges on events of that kind. A changed judgement
 * is a publication, which removes overload marks if the policy says so.
 */
export function judgeQueued(store: FleetStore, on: JudgedOn): void {
  if (!store.policy.judgedOn.includes(on)) return;
  let changed = false;
  if (store.judgeAll) {
    store.judgeAll = false;
    for (const slot of store.slots.all()) changed = judgeWorker(store, slot) || changed;
  }
  const { toJudge } = store;
  for (let i = 0; i < toJudge.length; i += 1) {
    const slot = toJudge[i] as number;
    store.slots.set(slot, TO_JUDGE, false);
    changed = judgeWorker(store, slot) || changed;
  }
  toJudge.length = 0;
  if (changed) endOverloadMarksOnPublication(store);
}

/** Judges one worker with a new load, and every worker that waits to be judged. */
export function judgeNow(store: FleetStore, slot: number): void {
  if (store.toJudge.length > 0 || store.judgeAll) {
    queue(store, slot);
    judgeQueued(store, 'load');
  } else if (judgeWorker(store, slot)) endOverloadMarksOnPublication(store);
}

function endOverloadMarksOnPublication(store: FleetStore): void {
  const rule = store.policy.overloadMarks;
  if (rule !== 'ignored' && rule.until === 'publication') clearOverloadMarks(store);
}

/** Applies new thresholds: every rank is judged by the new limits now, and every worker at the next event that judges. */
export function renewLimits(store: FleetStore): void {
  store.classes.setThresholds(store.thresholds);
  for (const slot of store.slots.all()) if (store.slots.has(slot, HAS_STATE)) judgeRanks(store, slot);
  store.judgeAll = true;
}

function judgeWorker(store: FleetStore, slot: number): boolean {
  const { slots } = store;
  const busy = isAboveThresholds(store, slot) && isKnown(store, slot);
  if (busy === slots.has(slot, JUDGED_BUSY)) {
    if (!busy && !slots.has(slot, HAS_STATE)) store.maybeEmpty.push(slot);
    return false;
  }
  touch(store, slot);
  slots.set(slot, JUDGED_BUSY, busy);
  store.maybeEmpty.push(slot);
  return true;
}
