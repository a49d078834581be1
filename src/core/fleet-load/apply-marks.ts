import type { JudgedOn } from '../load-policy.js';
import type { WorkerId } from '../worker-id.js';
import type { FleetStore } from './fleet-store.js';
import { judgeRanks } from './judge-rank.js';
import { isAboveMarks, isKnown, queue, touch } from './worker-state.js';
import { HAS_STATE, JUDGED_BUSY, MARKED, TO_JUDGE } from './worker-slots.js';

/** The request path marked a worker overloaded. */
export function applyMarked(store: FleetStore, id: WorkerId): void {
  if (store.policy.requestMarks === 'ignored') return;
  const slot = store.slots.intern(id);
  if (store.slots.has(slot, MARKED)) return;
  touch(store, slot);
  store.slots.set(slot, MARKED);
  store.marked.add(slot);
}

/** The time of a mark is over. */
export function applyMarkExpired(store: FleetStore, id: WorkerId): void {
  const rule = store.policy.requestMarks;
  if (rule === 'ignored' || rule.maximumMs === null) return;
  const slot = store.slots.find(id);
  if (slot !== -1) unmark(store, slot);
}

/** Ends the mark of one worker. */
export function unmark(store: FleetStore, slot: number): void {
  if (!store.slots.has(slot, MARKED)) return;
  touch(store, slot);
  store.slots.set(slot, MARKED, false);
  store.marked.delete(slot);
  store.maybeEmpty.push(slot);
}

/** Ends all marks. */
export function clearMarks(store: FleetStore): void {
  for (const slot of [...store.marked]) unmark(store, slot);
}

/**
 * Judges everybody whose judgement may have changed, where the policy judges on events of that kind. A judgement
 * that comes out different is a publication, which ends the request path's marks where the policy says so.
 */
export function judgeQueued(store: FleetStore, on: JudgedOn): void {
  if (!store.policy.judgedOn.includes(on)) return;
  let changed = false;
  if (store.judgeEverybody) {
    store.judgeEverybody = false;
    for (const slot of store.slots.all()) changed = judgeWorker(store, slot) || changed;
  }
  const { toJudge } = store;
  for (let i = 0; i < toJudge.length; i += 1) {
    const slot = toJudge[i] as number;
    store.slots.set(slot, TO_JUDGE, false);
    changed = judgeWorker(store, slot) || changed;
  }
  toJudge.length = 0;
  if (changed) endMarksByPublication(store);
}

/** Judges one worker that reported, and with it everybody who waits to be judged. */
export function judgeNow(store: FleetStore, slot: number): void {
  if (store.toJudge.length > 0 || store.judgeEverybody) {
    queue(store, slot);
    judgeQueued(store, 'load');
  } else if (judgeWorker(store, slot)) endMarksByPublication(store);
}

function endMarksByPublication(store: FleetStore): void {
  const rule = store.policy.requestMarks;
  if (rule !== 'ignored' && rule.until === 'publication') clearMarks(store);
}

/** The marks changed: every rank is judged by the new limits, and everybody at the next event that judges. */
export function renewLimits(store: FleetStore): void {
  store.classes.setMarks(store.thresholds);
  for (const slot of store.slots.all()) if (store.slots.has(slot, HAS_STATE)) judgeRanks(store, slot);
  store.judgeEverybody = true;
}

function judgeWorker(store: FleetStore, slot: number): boolean {
  const { slots } = store;
  const busy = isAboveMarks(store, slot) && isKnown(store, slot);
  if (busy === slots.has(slot, JUDGED_BUSY)) {
    if (!busy && !slots.has(slot, HAS_STATE)) store.maybeEmpty.push(slot);
    return false;
  }
  touch(store, slot);
  slots.set(slot, JUDGED_BUSY, busy);
  store.maybeEmpty.push(slot);
  return true;
}
