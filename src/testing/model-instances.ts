import { dropsBy } from '../core/cleanup-drops.js';
import type { Role } from '../core/fleet-event.js';
import { noRanks, ranksOfLeaver } from '../core/rank-memory.js';
import { declaresNoRanks } from '../core/rank-range.js';
import type { WorkerId } from '../core/worker-id.js';
import { only, onlyKeys } from './immutable-map.js';
import { rejoin } from './model-cards.js';
import { judgeAll } from './model-judge.js';
import { changed, isAvailable, isInstance, leaverOf, type Change, type ModelState } from './model-state.js';

/**
 * The instances of a role are these now: who is missing left, and cards are joined anew. Whoever the event speaks
 * about, all of them unless told otherwise, is no longer down.
 */
export function onInstances(
  change: Change,
  role: Role,
  workerIds: ReadonlySet<WorkerId>,
  about?: WorkerId,
): Change {
  const before = change.state[role] ?? new Set<WorkerId>();
  const left = [...before].filter((id) => !workerIds.has(id) && isPresent(change.state, id));
  const speaksOf = (id: WorkerId): boolean =>
    about === undefined ? before.has(id) || workerIds.has(id) : id === about;
  const down = only(change.state.down, (id) => !speaksOf(id));
  const departed = left.reduce((next, id) => instanceLeft(next, role, id), change);
  const gone = [...before].filter((id) => !workerIds.has(id));
  return judgeAll(rejoin(forget(changed(departed, { [role]: workerIds, down }), gone)), 'instances');
}

/** One worker was reported down. */
export function onReportedDown(change: Change, id: WorkerId): Change {
  const { state } = change;
  if (state.policy.reportedDown === 'ignored' || !isInstance(state, id) || state.down.has(id)) return change;
  const down = new Set([...state.down, id]);
  if (state.policy.reportedDown === 'not-a-candidate') return changed(change, { down });
  return forget(changed(instanceLeft(change, 'decode', id), { down }), [id]);
}

/**
 * The metric series of a worker that left a role.
 *
 * 1. Those of its remembered ranks. A card that declares no ranks makes them known: there is none to clean up.
 * 2. Where its ranks are not known, those of rank 0.
 */
function instanceLeft(change: Change, role: Role, id: WorkerId): Change {
  const { policy, memory, cards } = change.state;
  const card = cards?.get(id);
  const knownEmpty = card !== undefined && declaresNoRanks(card, policy);
  const ranks = ranksOfLeaver(memory.get(id) ?? (knownEmpty ? noRanks : undefined));
  const drops = dropsBy(
    policy.cleanupOnInstanceLeft,
    change.state.source,
    leaverOf(change.state, id),
    ranks,
    role,
  );
  return { ...change, drops: [...change.drops, ...drops] };
}

/** Forgets of workers that left what the policy forgets, unless they are still there in the other role. */
function forget(change: Change, left: readonly WorkerId[]): Change {
  const { state } = change;
  const rule = state.policy.instanceLeft;
  if (rule === 'stays') return change;
  const stays = (id: WorkerId): boolean => !left.includes(id) || isPresent(state, id);
  return changed(change, {
    judged: only(state.judged, stays),
    marked: only(state.marked, stays),
    workers: rule === 'not-busy' ? state.workers : onlyKeys(state.workers, stays),
    memory: rule === 'forgotten-with-ranks' ? onlyKeys(state.memory, stays) : state.memory,
  });
}

/** Whether a worker is there, in either role. One that was reported down is not, where that is as if it had left. */
function isPresent(state: ModelState, id: WorkerId): boolean {
  return state.policy.reportedDown === 'as-instance-left' ? isAvailable(state, id) : isInstance(state, id);
}
