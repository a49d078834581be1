import { judge } from '../core/judge.js';
import type { Transition } from '../core/transition.js';
import type { VerdictReason } from '../core/verdict.js';
import { compareWorkerIds, type WorkerId } from '../core/worker-id.js';
import type { ModelState } from './model-state.js';
import { newWorker, rankStatesOf } from './model-worker.js';

/** The busy workers, ascending, and since when each is busy. */
export function busyAfter(state: ModelState, now: number): ReadonlyMap<WorkerId, number> {
  const ids = [...new Set([...state.judged, ...state.marked])].sort(compareWorkerIds);
  return new Map(ids.map((id) => [id, state.busy.get(id) ?? now]));
}

/** Who crossed between two states, ascending, each with the verdict on it. */
export function transitionsBetween(before: ModelState, after: ModelState, now: number): Transition[] {
  const crossed = [...new Set([...before.busy.keys(), ...after.busy.keys()])].filter(
    (id) => before.busy.has(id) !== after.busy.has(id),
  );
  return crossed.sort(compareWorkerIds).map((workerId) => {
    const busy = after.busy.has(workerId);
    const worker = after.workers.get(workerId);
    const reason = reasonOf(busy, before, after, workerId);
    const states = rankStatesOf(worker ?? newWorker);
    const verdict = judge(workerId, states, after.thresholds, after.policy, { busy, reason, since: now });
    return { workerId, busy, at: now, verdict };
  });
}

function reasonOf(busy: boolean, before: ModelState, after: ModelState, id: WorkerId): VerdictReason {
  if (busy) return after.judged.has(id) ? 'load' : 'mark';
  if (before.marked.has(id) && !before.judged.has(id)) return 'unmarked';
  return after.workers.has(id) ? 'load' : 'left';
}
