import type { FleetCounts } from '../../core/judgement/fleet-state.js';
import { type VerdictReason, judge } from '../../core/judgement/verdict.js';
import { judgedRanks, neededRanks } from '../../core/judgement/is-busy.js';
import { rankChecks } from '../../core/judgement/rank-checks.js';
import type { RankStates } from '../../core/judgement/rank-state.js';
import type { WorkerState } from '../../core/judgement/worker-state.js';
import type { JudgedOn, LoadPolicy } from '../../core/policy/load-policy.js';
import type { LoadThresholds } from '../../core/policy/load-thresholds.js';
import type { Transition } from '../../core/state/fleet-step.js';
import { type WorkerId, compareWorkerIds } from '../../core/worker-id.js';
import {
  type Change,
  type ModelState,
  changed,
  isAvailable,
  isKnown,
  newWorker,
  rankStatesOf,
  thresholdsOf,
} from './state.js';

/**
 * Judges all known workers, if the policy judges on events of that kind. If a worker becomes busy, or is busy no more, that
 * is a publication, which removes overload marks if the policy says so.
 */
export function judgeAll(change: Change, on: JudgedOn): Change {
  const { state } = change;
  if (!state.policy.judgedOn.includes(on)) return change;
  const judged = new Map<WorkerId, WorkerState>();
  for (const [id, worker] of state.workers) {
    if (isKnown(state, id)) {
      judged.set(id, judgedState(rankStatesOf(worker), thresholdsOf(state, id), state.policy));
    }
  }
  const next = changed(change, { judged });
  return isSameIds(busyIn(judged), busyIn(state.judged))
    ? next
    : changed(next, { overloadMarked: overloadMarksAfterPublication(state) });
}

/**
 * Judges a known worker. It is busy when enough judged ranks are busy, and free when they could not be enough even if every
 * rank without evidence were busy. A rank has evidence when a set threshold was compared with one of its values.
 */
function judgedState(states: RankStates, thresholds: LoadThresholds, policy: LoadPolicy): WorkerState {
  const judged = judgedRanks(states, policy);
  const ranks = [...judged.reported.values()].map((rank) => rankChecks(rank, thresholds, policy));
  const busy = ranks.filter((checks) => checks.some(({ exceeded }) => exceeded)).length;
  const withoutEvidence = judged.count - ranks.filter((checks) => checks.length > 0).length;
  const needed = neededRanks(policy.rollUp, judged.count);
  if (judged.count > 0 && busy >= needed) return 'busy';
  if (judged.count > 0 && busy + withoutEvidence < needed) return 'free';
  return policy.withoutEvidence;
}

/** The overload marks that remain after a publication. */
function overloadMarksAfterPublication(state: ModelState): ReadonlySet<WorkerId> {
  const rule = state.policy.overloadMarks;
  return rule !== 'ignored' && rule.until === 'publication' ? new Set() : state.overloadMarked;
}

function busyIn(states: ModelState['judged']): Set<WorkerId> {
  return new Set([...states].filter(([, state]) => state === 'busy').map(([id]) => id));
}

function isSameIds(a: ReadonlySet<WorkerId>, b: ReadonlySet<WorkerId>): boolean {
  return a.size === b.size && [...a].every((id) => b.has(id));
}

/** The states of the workers after an event. A worker with an overload mark is busy. */
export function statesAfter({ judged, overloadMarked }: ModelState): ReadonlyMap<WorkerId, WorkerState> {
  return new Map([...judged, ...[...overloadMarked].map((id) => [id, 'busy'] as const)]);
}

/** The busy workers, ascending, and when each one became busy. */
export function busyAfter(state: ModelState, now: number): ReadonlyMap<WorkerId, number> {
  const ids = [...busyIn(statesAfter(state))].sort(compareWorkerIds);
  return new Map(ids.map((id) => [id, state.busy.get(id) ?? now]));
}

/** The published state of a worker. */
function publishedState({ states, policy }: ModelState, id: WorkerId): WorkerState {
  return states.get(id) ?? policy.withoutEvidence;
}

/** The workers in numbers. */
export function countsOf(state: ModelState): FleetCounts {
  const { decode, prefill, workers, busy, overloadMarked, down } = state;
  const hasInstances = decode !== null || prefill !== null;
  const instances = new Set([...(decode ?? []), ...(prefill ?? [])]);
  const present = hasInstances ? [...instances].filter((id) => isAvailable(state, id)) : [...workers.keys()];
  const count = (wanted: WorkerState): number =>
    present.filter((id) => publishedState(state, id) === wanted).length;
  const isHeld = (id: WorkerId): boolean =>
    state.policy.unknownWorkers.loads === 'held' && !isKnown(state, id);
  const held = [...workers.keys()].filter(isHeld).length;
  return {
    workers: present.length,
    busy: busy.size,
    free: count('free'),
    unknown: count('unknown'),
    known: workers.size - held,
    held,
    overloadMarked: overloadMarked.size,
    instances: instances.size,
    down: down.size,
  };
}

/** The transitions between two states, in ascending order of ids. */
export function transitionsBetween(before: ModelState, after: ModelState, now: number): Transition[] {
  const changed = [...new Set([...before.states.keys(), ...after.states.keys()])].filter(
    (id) => publishedState(before, id) !== publishedState(after, id),
  );
  return changed.sort(compareWorkerIds).map((workerId) => {
    const [from, to] = [publishedState(before, workerId), publishedState(after, workerId)];
    const worker = after.workers.get(workerId);
    const reason = reasonOf(to, before, after, workerId);
    const states = rankStatesOf(worker ?? newWorker);
    const given = { state: to, reason, since: now };
    const verdict = judge(workerId, states, thresholdsOf(after, workerId), after.policy, given);
    return { workerId, from, to, busy: to === 'busy', at: now, verdict };
  });
}

function reasonOf(to: WorkerState, before: ModelState, after: ModelState, id: WorkerId): VerdictReason {
  if (to === 'busy') return after.judged.get(id) === 'busy' ? 'load' : 'overload-mark';
  if (before.overloadMarked.has(id) && before.judged.get(id) !== 'busy') return 'overload-mark-ended';
  return after.workers.has(id) ? 'load' : 'left';
}
