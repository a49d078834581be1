import { isBusy } from '../core/is-busy.js';
import type { JudgedOn } from '../core/load-policy.js';
import type { WorkerId } from '../core/worker-id.js';
import { changed, isKnown, type Change, type ModelState } from './model-state.js';
import { rankStatesOf } from './model-worker.js';

/**
 * Judges all known workers, where the policy judges on events of that kind. A judgement that comes out different
 * is a publication, which ends the request path's marks where the policy says so.
 */
export function judgeAll(change: Change, on: JudgedOn): Change {
  const { state } = change;
  if (!state.policy.judgedOn.includes(on)) return change;
  const judged = new Set<WorkerId>();
  for (const [id, worker] of state.workers) {
    if (isKnown(state, id) && isBusy(rankStatesOf(worker), state.thresholds, state.policy)) judged.add(id);
  }
  const next = changed(change, { judged });
  return sameIds(judged, state.judged) ? next : changed(next, { marked: marksAfterPublication(state) });
}

/** The marks that a publication leaves. */
function marksAfterPublication(state: ModelState): ReadonlySet<WorkerId> {
  const rule = state.policy.requestMarks;
  return rule !== 'ignored' && rule.until === 'publication' ? new Set() : state.marked;
}

function sameIds(a: ReadonlySet<WorkerId>, b: ReadonlySet<WorkerId>): boolean {
  return a.size === b.size && [...a].every((id) => b.has(id));
}
