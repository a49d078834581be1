import type { PoolRole, Role } from '../events/fleet-event.js';
import type { CleanupRule } from '../policy/load-policy.js';
import { type WorkerId, compareWorkerIds } from '../worker-id.js';

/**
 * The metric series to remove because a worker, or some of its ranks, left: those with this worker, one of these ranks
 * and this type.
 *
 * 1. Performing a cleanup twice has the same effect as performing it once.
 * 2. `dpRanks` is ascending. `"none"`, in last position, means the latency series without a rank.
 * 3. A config may declare any number of ranks, so `dpRanks` contains at most the first 4 096 of each declared range. Ranks
 *    that have reported a load are always included.
 */
export interface Cleanup {
  readonly workerId: WorkerId;
  readonly dpRanks: readonly (number | 'none')[];
  /** The `worker_type` label of the series. */
  readonly workerType: Role;
}

/** Cleanups of one worker under several types, before they are merged. */
export interface PendingCleanup {
  readonly workerId: WorkerId;
  readonly types: readonly Role[];
  readonly ranks: readonly (number | 'none')[];
}

/** A worker that leaves, and the roles that it has. */
export interface LeavingWorker {
  readonly workerId: WorkerId;
  readonly decode: boolean;
  readonly prefill: boolean;
}

/** The role of the pool's own workers in their metric series. */
export function roleOfPool(poolRole: PoolRole): Role {
  return poolRole === 'prefill' ? 'prefill' : 'decode';
}

/** The cleanups of a worker that leaves, under a rule. `watched` is the role that it left; `null` if it left none. */
export function planCleanups(
  rule: CleanupRule,
  poolRole: PoolRole,
  worker: LeavingWorker,
  ranks: readonly number[],
  watched: Role | null,
): PendingCleanup[] {
  if (rule === 'none') return [];
  const types = typesOf(rule.types, roleOfPool(poolRole), worker, watched);
  return [{ workerId: worker.workerId, types, ranks: rule.withoutRank ? [...ranks, 'none'] : ranks }];
}

function typesOf(
  types: Exclude<CleanupRule, 'none'>['types'],
  own: Role,
  { decode, prefill }: LeavingWorker,
  watched: Role | null,
): readonly Role[] {
  switch (types) {
    case 'own':
      return [own];
    case 'both':
      return ['decode', 'prefill'];
    case 'watched':
      return watched === null ? ['decode', 'prefill'] : [watched];
    case 'known':
      if (watched !== null) return [watched === 'decode' ? own : 'prefill'];
      return decode || !prefill ? (prefill ? [own, 'prefill'] : [own]) : ['prefill'];
  }
}

/** The cleanups of one event: each series once, sorted by worker, then type, with ascending ranks. */
export function mergeCleanups(pending: readonly PendingCleanup[]): Cleanup[] {
  const merged = new Map<string, { workerId: WorkerId; workerType: Role; ranks: Set<number | 'none'> }>();
  for (const { workerId, types, ranks } of pending) {
    for (const workerType of types) {
      const key = `${workerId} ${workerType}`;
      const entry = merged.get(key) ?? { workerId, workerType, ranks: new Set() };
      for (const rank of ranks) entry.ranks.add(rank);
      merged.set(key, entry);
    }
  }
  return [...merged.values()]
    .filter((entry) => entry.ranks.size > 0)
    .sort((a, b) => compareWorkerIds(a.workerId, b.workerId) || (a.workerType < b.workerType ? -1 : 1))
    .map(({ workerId, workerType, ranks }) => ({ workerId, dpRanks: [...ranks].sort(byRank), workerType }));
}

function byRank(a: number | 'none', b: number | 'none'): number {
  return (a === 'none' ? Infinity : a) - (b === 'none' ? Infinity : b);
}
