import type { Role } from '../../core/events/fleet-event.js';
import { declaresNoRanks } from '../../core/judgement/rank-state.js';
import { planCleanups } from '../../core/state/cleanup.js';
import { noRanks, ranksToCleanUp } from '../../core/state/rank-memory.js';
import type { WorkerId } from '../../core/worker-id.js';
import { rejoin } from './configs.js';
import {
  type Change,
  type ModelState,
  changed,
  isAvailable,
  isInstance,
  leavingWorker,
  only,
  onlyKeys,
  withMember,
} from './state.js';
import { judgeAll } from './verdicts.js';

/**
 * Applies a snapshot of the instances of a role. Missing workers left, and configs are joined with instances again. The
 * worker that the event is about, or all named workers when `about` is absent, are no longer down.
 */
export function onInstances(
  change: Change,
  role: Role,
  workerIds: ReadonlySet<WorkerId>,
  about?: WorkerId,
): Change {
  const before = change.state[role] ?? new Set<WorkerId>();
  const left = [...before].filter((id) => !workerIds.has(id) && isPresent(change.state, id));
  const isNamed = (id: WorkerId): boolean =>
    about === undefined ? before.has(id) || workerIds.has(id) : id === about;
  const down = only(change.state.down, (id) => !isNamed(id));
  const departed = left.reduce((next, id) => instanceLeft(next, role, id), change);
  const missing = [...before].filter((id) => !workerIds.has(id));
  return judgeAll(rejoin(forget(changed(departed, { [role]: workerIds, down }), missing)), 'instances');
}

/** Applies that a worker was reported down. */
export function onReportedDown(change: Change, id: WorkerId): Change {
  const { state } = change;
  if (state.policy.reportedDown === 'ignored' || !isInstance(state, id) || state.down.has(id)) return change;
  const down = new Set([...state.down, id]);
  if (state.policy.reportedDown === 'not-a-candidate') return changed(change, { down });
  return forget(changed(instanceLeft(change, 'decode', id), { down }), [id]);
}

/**
 * Plans the cleanup of a worker that left a role.
 *
 * 1. Its remembered ranks. A config that declares no ranks makes them known: no rank is cleaned up.
 * 2. Rank 0 when its ranks are unknown.
 */
function instanceLeft(change: Change, role: Role, id: WorkerId): Change {
  const { policy, memory, configs } = change.state;
  const config = configs?.get(id);
  const isKnownEmpty = config !== undefined && declaresNoRanks(config, policy);
  const ranks = ranksToCleanUp(memory.get(id) ?? (isKnownEmpty ? noRanks : undefined));
  const cleanups = planCleanups(
    policy.cleanupOnInstanceLeft,
    change.state.poolRole,
    leavingWorker(change.state, id),
    ranks,
    role,
  );
  return { ...change, pendingCleanups: [...change.pendingCleanups, ...cleanups] };
}

/** Forgets what the policy says about workers that left, unless they are still present in the other role. */
function forget(change: Change, left: readonly WorkerId[]): Change {
  const { state } = change;
  const rule = state.policy.instanceLeft;
  if (rule === 'stays') return change;
  const stays = (id: WorkerId): boolean => !left.includes(id) || isPresent(state, id);
  return changed(change, {
    judged: onlyKeys(state.judged, stays),
    overloadMarked: only(state.overloadMarked, stays),
    workers: rule === 'not-busy' ? state.workers : onlyKeys(state.workers, stays),
    memory: rule === 'forgotten-with-ranks' ? onlyKeys(state.memory, stays) : state.memory,
  });
}

/** Whether a worker has an instance in either role. Where being reported down is the same as leaving, it must not be down. */
function isPresent(state: ModelState, id: WorkerId): boolean {
  return state.policy.reportedDown === 'as-instance-left' ? isAvailable(state, id) : isInstance(state, id);
}

/**
 * Applies that a watch on prefill instances was attached.
 *
 * 1. If no watch is open, it opens with its set.
 * 2. If one is open, the new watch waits for it to close (`waits`; the one that was attached last wins), or takes over.
 * 3. A worker whose last instance leaves with the change is no longer down.
 * 4. Opening causes no cleanups, except that `takes-over-and-cleans` cleans up workers that are missing in the new set.
 */
export function onPrefillAttached(change: Change, workerIds: ReadonlySet<WorkerId>): Change {
  const { policy, watches } = change.state;
  const watch = watches.attached;
  const numbered = changed(change, { watches: { ...watches, attached: watch + 1 } });
  if (policy.prefillWatches === 'none') return numbered;
  if (policy.prefillWatches === 'waits' && watches.open !== null) {
    return changed(numbered, { watches: { ...numbered.state.watches, waiting: { watch, workerIds } } });
  }
  return open(numbered, watch, workerIds);
}

/** Applies a snapshot of a prefill watch; `undefined` is the watch that was attached last. */
export function onPrefillInstances(
  change: Change,
  watch: number | undefined,
  workerIds: ReadonlySet<WorkerId>,
): Change {
  const { watches } = change.state;
  const target = watch ?? watches.attached - 1;
  if (target === watches.open) return onInstances(change, 'prefill', workerIds);
  if (target !== watches.waiting?.watch) return change;
  return changed(change, { watches: { ...watches, waiting: { watch: target, workerIds } } });
}

/** Applies one instance that joined or left a prefill watch; `undefined` is the open watch. */
export function onPrefillInstance(
  change: Change,
  watch: number | undefined,
  workerId: WorkerId,
  present: boolean,
): Change {
  const { watches, prefill } = change.state;
  const { open: opened, waiting } = watches;
  if (opened !== null && (watch ?? opened) === opened) {
    return onInstances(change, 'prefill', withMember(prefill, workerId, present), workerId);
  }
  if (waiting === null || watch !== waiting.watch) return change;
  const workerIds = withMember(waiting.workerIds, workerId, present);
  return changed(change, { watches: { ...watches, waiting: { watch, workerIds } } });
}

/** Applies the end of a prefill watch: its last set is kept, and the waiting watch opens. */
export function onPrefillClosed(change: Change, watch: number | undefined): Change {
  const { watches } = change.state;
  const { waiting } = watches;
  const target = watch ?? watches.attached - 1;
  if (target === waiting?.watch) return changed(change, { watches: { ...watches, waiting: null } });
  if (target !== watches.open) return change;
  const closed = changed(change, { watches: { ...watches, open: null, waiting: null } });
  return waiting === null ? closed : open(closed, waiting.watch, waiting.workerIds);
}

function open(change: Change, watch: number, workerIds: ReadonlySet<WorkerId>): Change {
  const opened = changed(change, { watches: { ...change.state.watches, open: watch } });
  if (change.state.policy.prefillWatches === 'takes-over-and-cleans')
    return onInstances(opened, 'prefill', workerIds);
  const { decode, down } = change.state;
  const stillDown = only(down, (id) => decode?.has(id) === true || workerIds.has(id));
  return rejoin(changed(opened, { prefill: workerIds, down: stillDown }));
}
