import type { Cleanup, WorkerType } from './cleanup.js';
import type { FleetSource, Role } from './fleet-event.js';
import type { CleanupRule } from './load-policy.js';
import { compareWorkerIds, type WorkerId } from './worker-id.js';

/** Series of one worker to drop under several types. */
export interface Drop {
  readonly workerId: WorkerId;
  readonly types: readonly WorkerType[];
  readonly ranks: readonly (number | 'none')[];
}

/** The worker that leaves, and the roles it has. */
export interface Leaver {
  readonly workerId: WorkerId;
  readonly decode: boolean;
  readonly prefill: boolean;
}

/** The type label of the monitored endpoint's own workers. */
export function ownType(source: FleetSource): WorkerType {
  return source === 'prefill' ? 'prefill' : 'decode';
}

/** What a departure drops under a rule; `watched` is the role the worker left, where it left one. */
export function dropsBy(
  rule: CleanupRule,
  source: FleetSource,
  leaver: Leaver,
  ranks: readonly number[],
  watched: Role | null,
): Drop[] {
  if (rule === 'none') return [];
  const types = typesOf(rule.types, ownType(source), leaver, watched);
  return [{ workerId: leaver.workerId, types, ranks: rule.withoutRank ? [...ranks, 'none'] : ranks }];
}

function typesOf(
  types: Exclude<CleanupRule, 'none'>['types'],
  own: WorkerType,
  { decode, prefill }: Leaver,
  watched: Role | null,
): readonly WorkerType[] {
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
    .sort((a, b) => compareWorkerIds(a.workerId, b.workerId) || (a.workerType < b.workerType ? -1 : 1))
    .map(({ workerId, workerType, ranks }) => ({ workerId, dpRanks: [...ranks].sort(byRank), workerType }));
}

function byRank(a: number | 'none', b: number | 'none'): number {
  return (a === 'none' ? Infinity : a) - (b === 'none' ? Infinity : b);
}
