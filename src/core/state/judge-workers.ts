import { type WorkerState, rollUpState } from '../judgement/worker-state.js';
import type { JudgedOn } from '../policy/load-policy.js';
import type { WorkerId } from '../worker-id.js';
import type { FleetStore } from './fleet-store.js';
import { judgeRanks, moveRanks } from './judge-rank.js';
import { isKnown } from './known-workers.js';
import { POOL_GROUP } from './limit-classes.js';

/** Sets the overload mark of a worker. */
export function applyOverloadMark({ workers, policy }: FleetStore, id: WorkerId): void {
  if (policy.overloadMarks !== 'ignored') workers.setOverloadMark(workers.intern(id), true);
}

/** Removes an overload mark whose time is over. */
export function applyOverloadMarkExpired({ workers, policy }: FleetStore, id: WorkerId): void {
  const rule = policy.overloadMarks;
  if (rule === 'ignored' || rule.maximumMs === null) return;
  const slot = workers.find(id);
  if (slot !== -1) workers.setOverloadMark(slot, false);
}

/** Removes all overload marks. */
export function clearOverloadMarks({ workers }: FleetStore): void {
  for (const slot of [...workers.overloadMarked]) workers.setOverloadMark(slot, false);
}

/**
 * Judges every worker whose judgement may have changed, if the policy judges on events of that kind. A worker that becomes
 * busy, or is busy no more, is a publication, which removes overload marks if the policy says so.
 */
export function judgeQueued(store: FleetStore, on: JudgedOn): void {
  const { workers, policy } = store;
  if (!workers.hasQueued || !policy.judgedOn.includes(on)) return;
  let changed = false;
  for (const slot of workers.takeQueued()) {
    changed = workers.judge(slot, judgedState(store, slot)) || changed;
  }
  const rule = policy.overloadMarks;
  if (changed && rule !== 'ignored' && rule.until === 'publication') clearOverloadMarks(store);
}

/** Applies new thresholds: every rank is judged by the new limits now, and every worker at the next event that judges. */
export function renewLimits(store: FleetStore): void {
  store.classes.setThresholds(store.thresholds, POOL_GROUP);
  store.ownThresholds.renew(store.thresholds);
  for (const slot of store.workers.all()) judgeRanks(store, slot);
}

/** Applies new thresholds of one worker: its ranks are judged now, and the worker at the next event that judges. */
export function renewLimitsOf(store: FleetStore, id: WorkerId): void {
  const slot = store.workers.find(id);
  if (slot !== -1) moveRanks(store, slot);
}

/** The judgement on a worker according to the counters of its ranks. */
function judgedState({ workers, policy }: FleetStore, slot: number): WorkerState {
  if (!workers.hasState(slot) || !isKnown(workers, policy, slot)) return policy.withoutEvidence;
  const declared = policy.ranksJudged === 'declared' && workers.hasRange(slot);
  const judged = declared ? workers.rangeSize(slot) : workers.countedRanks(slot);
  return rollUpState(policy, judged, workers.busyRanks(slot), workers.freeRanks(slot));
}
