import type { Role } from '../events/fleet-event.js';
import type { CleanupRule } from '../policy/load-policy.js';
import { planCleanups } from './cleanup.js';
import type { FleetStore } from './fleet-store.js';
import { type RankMemory, noRanks, rememberDeclared } from './rank-memory.js';

/** The remembered ranks of a worker, which may be none; `undefined` when its ranks are unknown. */
export function memoryOf({ workers }: FleetStore, slot: number): RankMemory | undefined {
  const older = workers.olderMemory(slot);
  const [first, end] = [workers.firstCell(slot), workers.endCell(slot)];
  if (older === undefined && first === end && !workers.hasRange(slot)) return undefined;
  const declared = workers.hasRange(slot)
    ? rememberDeclared(older ?? noRanks, workers.range(slot))
    : (older ?? noRanks);
  if (first === end) return declared;
  const reported = new Set(declared.reported);
  for (let cell = first; cell < end; cell += 1) reported.add(workers.ranks.rank(cell));
  return { ...declared, reported };
}

/** Plans the cleanups of a worker that leaves, under a rule. `watched` is the role that it left; `null` if it left none. */
export function planLeaving(
  { workers, poolRole, pendingCleanups }: FleetStore,
  slot: number,
  rule: CleanupRule,
  ranks: readonly number[],
  watched: Role | null,
): void {
  const worker = {
    workerId: workers.id(slot),
    decode: workers.hasRole(slot, 'decode'),
    prefill: workers.hasRole(slot, 'prefill'),
  };
  pendingCleanups.push(...planCleanups(rule, poolRole, worker, ranks, watched));
}
