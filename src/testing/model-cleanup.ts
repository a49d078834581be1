import type { Cleanup, WorkerType } from '../core/cleanup.js';
import type { Role } from '../core/fleet-event.js';
import type { CleanupRule } from '../core/load-policy.js';
import { compareWorkerIds, type WorkerId } from '../core/worker-id.js';
import type { ModelState } from './model-state.js';

/** Series of one worker to drop under several types. */
export interface Drop {
  readonly workerId: WorkerId;
  readonly types: readonly WorkerType[];
  readonly ranks: readonly (number | 'none')[];
}

/** The type label of the monitored endpoint's own workers. */
export function ownType(state: ModelState): WorkerType {
  return state.source === 'prefill' ? 'prefill' : 'decode';
}

/** What a departure drops under a rule; `watched` is the role the worker left, where it left one. */
export function dropsBy(
  rule: CleanupRule,
  state: ModelState,
  workerId: WorkerId,
  ranks: readonly number[],
  watched: Role | null,
): Drop[] {
  if (rule === 'none') return [];
  const types = typesOf(rule.types, state, workerId, watched);
  return [{ workerId, types, ranks: rule.withoutRank ? [...ranks, 'none'] : ranks }];
}

function typesOf(
  types: Exclude<CleanupRule, 'none'>['types'],
  state: ModelState,
  workerId: WorkerId,
  watched: Role | null,
): readonly WorkerType[] {
  switch (types) {
    case 'own':
      return [ownType(state)];
    case 'both':
      return ['decode', 'prefill'];
    case 'watched':
      return watched === null ? ['decode', 'prefill'] : [watched];
    case 'known': {
      if (watched !== null) return [watched === 'decode' ? ownType(state) : 'prefill'];
      const known: WorkerType[] = [];
      if (state.decode?.has(workerId) === true) known.push(ownType(state));
      if (state.prefill?.has(workerId) === true) known.push('prefill');
      return known.length === 0 ? [ownType(state)] : known;
    }
  }
}

/** The drops of one event as commands: each series once, ordered by worker, then type, ranks ascending. */
export function cleanupsOf(drops: readonly Drop[]): Cleanup[] {
  const merged = new Map<
    string,
    { workerId: WorkerId; workerType: WorkerType; ranks: Set<number | 'none'> }
  >();
  for (const { workerId, types, ranks } of drops) {
    for (const workerType of types) {
      const key = `${workerId} ${workerType}`;
      const entry = merged.get(key) ?? { workerId, workerType, ranks: new Set() };
      for (const rank of ranks) entry.ranks.add(rank);
      merged.set(key, entry);
    }
  }
  return [...merged.values()]
    .filter((entry) => entry.ranks.size > 0)
    .sort((a, b) => compareWorkerIds(a.workerId, b.workerId) || a.workerType.localeCompare(b.workerType))
    .map(({ workerId, workerType, ranks }) => ({ workerId, dpRanks: [...ranks].sort(byRank), workerType }));
}

function byRank(a: number | 'none', b: number | 'none'): number {
  return (a === 'none' ? Infinity : a) - (b === 'none' ? Infinity : b);
}
