import type { InstancesListed, Role } from '../events/fleet-event.js';
import type { WorkerId } from '../worker-id.js';
import { rejoin, reportsNoRanks } from './apply-configs.js';
import type { FleetStore } from './fleet-store.js';
import { judgeQueued } from './judge-workers.js';
import { memoryOf, planLeaving } from './leaving.js';
import { noRanks, ranksToCleanUp } from './rank-memory.js';

/** Applies a snapshot of the instances of a role. */
export function applyInstances(store: FleetStore, role: Role, { removed, present }: InstancesListed): void {
  const { workers } = store;
  const left = removed
    .map((id) => workers.find(id))
    .filter((slot) => slot !== -1 && workers.hasRole(slot, role));
  const isFirstEvent = workers.see(role);
  const joined = Array.from(present, (id) => workers.intern(id));
  changeInstances(store, role, joined, left, isFirstEvent ? workers.all() : [...left, ...joined]);
}

/** Applies one instance of a role that joined or left. */
export function applyInstance(store: FleetStore, role: Role, id: WorkerId, present: boolean): void {
  const { workers } = store;
  const slot = present ? workers.intern(id) : workers.find(id);
  const isFirstEvent = workers.see(role);
  const slots = slot === -1 ? [] : [slot];
  const left = present || slot === -1 || !workers.hasRole(slot, role) ? [] : slots;
  if (slot !== -1 && left.length === 0) workers.setDown(slot, false);
  changeInstances(store, role, present ? slots : [], left, isFirstEvent ? workers.all() : slots);
}

/** Applies the first snapshot of a prefill watch without any cleanup. */
function replacePrefill(store: FleetStore, { present }: InstancesListed): void {
  const { workers } = store;
  workers.see('prefill');
  for (const slot of workers.all()) if (!present.has(workers.id(slot))) workers.leave(slot, 'prefill');
  for (const id of present) workers.join(workers.intern(id), 'prefill');
  rejoin(store, workers.all());
}

/** Applies that a worker was reported down. */
export function applyReportedDown(store: FleetStore, id: WorkerId): void {
  const { workers, policy } = store;
  const slot = workers.find(id);
  if (policy.reportedDown === 'ignored' || slot === -1) return;
  if (!workers.hasInstance(slot) || workers.isDown(slot)) return;
  if (policy.reportedDown === 'as-instance-left') cleanUpSeries(store, slot, 'decode');
  workers.setDown(slot, true);
  if (policy.reportedDown === 'as-instance-left') forget(store, slot);
}

function changeInstances(
  store: FleetStore,
  role: Role,
  joined: readonly number[],
  left: readonly number[],
  candidates: Iterable<number>,
): void {
  const { workers } = store;
  for (const slot of left) if (isPresent(store, slot)) cleanUpSeries(store, slot, role);
  for (const slot of left) {
    workers.setDown(slot, false);
    workers.leave(slot, role);
  }
  for (const slot of joined) {
    workers.join(slot, role);
    workers.setDown(slot, false);
  }
  for (const slot of left) if (!isPresent(store, slot)) forget(store, slot);
  rejoin(store, candidates);
  judgeQueued(store, 'instances');
}

/** Plans the cleanup of a worker that left a role: of its remembered ranks, or of rank 0 when its ranks are unknown. */
function cleanUpSeries(store: FleetStore, slot: number, role: Role): void {
  const ranks = ranksToCleanUp(memoryOf(store, slot) ?? (reportsNoRanks(store, slot) ? noRanks : undefined));
  planLeaving(store, slot, store.policy.cleanupOnInstanceLeft, ranks, role);
}

/** Forgets what the policy says about a worker that left. */
function forget(store: FleetStore, slot: number): void {
  const { workers } = store;
  const rule = store.policy.instanceLeft;
  if (rule === 'stays') return;
  workers.forgetJudgement(slot);
  workers.setOverloadMark(slot, false);
  if (rule === 'not-busy') return;
  const remembered = memoryOf(store, slot);
  workers.forgetState(slot);
  workers.rememberOlder(slot, rule === 'forgotten-with-ranks' ? undefined : remembered);
}

/** Whether a worker has an instance in either role. Where being reported down is the same as leaving, it must not be down. */
function isPresent({ workers, policy }: FleetStore, slot: number): boolean {
  if (policy.reportedDown === 'as-instance-left' && workers.isDown(slot)) return false;
  return workers.hasInstance(slot);
}

/** Applies that a watch on prefill instances was attached: it opens, waits or takes over, as the policy says. */
export function applyPrefillAttached(store: FleetStore, listed: InstancesListed): void {
  const { watches, policy } = store;
  const watch = watches.attached;
  watches.attached += 1;
  if (policy.prefillWatches === 'none') return;
  if (policy.prefillWatches === 'waits' && watches.open !== null) watches.waiting = { watch, listed };
  else open(store, watch, listed);
}

/** Applies a snapshot of a prefill watch; `undefined` is the watch that was attached last. */
export function applyPrefillInstances(
  store: FleetStore,
  watch: number | undefined,
  listed: InstancesListed,
): void {
  const { watches } = store;
  const target = watch ?? watches.attached - 1;
  if (target === watches.open) applyInstances(store, 'prefill', listed);
  else if (target === watches.waiting?.watch) watches.waiting = { watch: target, listed };
}

/** Applies one instance that joined or left a prefill watch; `undefined` is the open watch. */
export function applyPrefillInstance(
  store: FleetStore,
  watch: number | undefined,
  workerId: WorkerId,
  present: boolean,
): void {
  const { open, waiting } = store.watches;
  if (open !== null && (watch ?? open) === open) applyInstance(store, 'prefill', workerId, present);
  else if (waiting !== null && watch === waiting.watch) {
    const others = new Set(waiting.listed.present);
    others.delete(workerId);
    if (present) others.add(workerId);
    store.watches.waiting = { watch, listed: { ...waiting.listed, present: others } };
  }
}

/** Applies the end of a prefill watch: its last set is kept, and the waiting watch opens. */
export function applyPrefillClosed(store: FleetStore, watch: number | undefined): void {
  const { watches } = store;
  const { waiting } = watches;
  const target = watch ?? watches.attached - 1;
  if (target === waiting?.watch) {
    watches.waiting = null;
    return;
  }
  if (target !== watches.open) return;
  watches.open = null;
  watches.waiting = null;
  if (waiting !== null) open(store, waiting.watch, waiting.listed);
}

function open(store: FleetStore, watch: number, listed: InstancesListed): void {
  store.watches.open = watch;
  if (store.policy.prefillWatches === 'takes-over-and-cleans') applyInstances(store, 'prefill', listed);
  else replacePrefill(store, listed);
}
