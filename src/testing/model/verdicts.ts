import { isBusy } from '../../core/judgement/is-busy.js';
import { type VerdictReason, judge } from '../../core/judgement/verdict.js';
import type { JudgedOn } from '../../core/policy/load-policy.js';
import type { Transition } from '../../core/state/fleet-step.js';
import { type WorkerId, compareWorkerIds } from '../../core/worker-id.js';
import { type Change, type ModelState, changed, isKnown, newWorker, rankStatesOf } from './state.js';

/**
 * Judges all known workers, if the policy judges on events of that kind. A changed judgement is a publication, which
 * removes overload marks if the policy says so.
 */
export function judgeAll(change: Change, on: JudgedOn): Change {
  const { state } = change;
  if (!state.policy.judgedOn.includes(on)) return change;
  const judged = new Set<WorkerId>();
  for (const [id, worker] of state.workers) {
    if (isKnown(state, id) && isBusy(rankStatesOf(worker), state.thresholds, state.policy)) judged.add(id);
  }
  const next = changed(change, { judged });
  return isSameIds(judged, state.judged)
    ? next
    : changed(next, { overloadMarked: overloadMarksAfterPublication(state) });
}

/** The overload marks that remain after a publication. */
function overloadMarksAfterPublication(state: ModelState): ReadonlySet<WorkerId> {
  const rule = state.policy.overloadMarks;
  return rule !== 'ignored' && rule.until === 'publication' ? new Set() : state.overloadMarked;
}

function isSameIds(a: ReadonlySet<WorkerId>, b: ReadonlySet<WorkerId>): boolean {
  return a.size === b.size && [...a].every((id) => b.has(id));
}

/** The busy workers, ascending, and when each one became busy. */
export function busyAfter(state: ModelState, now: number): ReadonlyMap<WorkerId, number> {
  const ids = [...new Set([...state.judged, ...state.overloadMarked])].sort(compareWorkerIds);
  return new Map(ids.map((id) => [id, state.busy.get(id) ?? now]));
}

/** The transitions between two states, in ascending order of ids. */
export function transitionsBetween(before: ModelState, after: ModelState, now: number): Transition[] {
  const changed = [...new Set([...before.busy.keys(), ...after.busy.keys()])].filter(
    (id) => before.busy.has(id) !== after.busy.has(id),
  );
  return changed.sort(compareWorkerIds).map((workerId) => {
    const busy = after.busy.has(workerId);
    const worker = after.workers.get(workerId);
    const reason = reasonOf(busy, before, after, workerId);
    const states = rankStatesOf(worker ?? newWorker);
    const verdict = judge(workerId, states, after.thresholds, after.policy, { busy, reason, since: now });
    return { workerId, busy, at: now, verdict };
  });
}

function reasonOf(busy: boolean, before: ModelState, after: ModelState, id: WorkerId): VerdictReason {
  if (busy) return after.judged.has(id) ? 'load' : 'overload-mark';
  if (before.overloadMarked.has(id) && !before.judged.has(id)) return 'overload-mark-ended';
  return after.workers.has(id) ? 'load' : 'left';
}
