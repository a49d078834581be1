import type { PoolRole, Role } from '../events/fleet-event.js';
import type { CleanupRule } from '../policy/load-policy.js';
import { type WorkerId, compareWorkerIds } from '../worker-id.js';

/**
 * The metric series to drop because a worker, or some of its ranks, left: those with this worker, one of these
 * ranks, and this type. A command; a sink performs it, and performing it twice is harmless.
 *
 * `dpRanks`: ascending; `"none"`, last, stands for the latency series without a rank. A card may declare more
 * ranks than anybody wants to list, so of each declared range only the first 4 096 are named; ranks that
 * reported are always named.
 */
export interface Cleanup {
  readonly workerId: WorkerId;
  readonly dpRanks: readonly (number | 'none')[];
  readonly workerType: Role;
}

/** Series of one worker to drop under several types. */
export interface PendingCleanup {
  readonly workerId: WorkerId;
  readonly types: readonly Role[];
  readonly ranks: readonly (number | 'none')[];
}

/** The worker that leaves, and the roles it has. */
export interface LeavingWorker {
  readonly workerId: WorkerId;
  readonly decode: boolean;
  readonly prefill: boolean;
}

/** The type label of the monitored endpoint's own workers. */
export function roleOfPool(poolRole: PoolRole): Role {
  return poolRole === 'prefill' ? 'prefill' : 'decode';
}

/** What a departure drops under a rule; `watched` is the role the worker left, where it left one. */
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

/** The drops of one event as commands: each series once, ordered by worker, then type, ranks ascending. */
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
