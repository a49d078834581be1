import type { Role } from '../events/fleet-event.js';
import type { WorkerId } from '../worker-id.js';
import { rejoin, reportsNoRanks } from './apply-configs.js';
import type { FleetStore } from './fleet-store.js';
import { judgeQueued } from './judge-workers.js';
import { memoryOf, planLeaving } from './leaving.js';
import { noRanks, ranksToCleanUp } from './rank-memory.js';

/** Applies a snapshot of the instances of a role. */
export function applyInstances(store: FleetStore, role: Role, workerIds: Iterable<WorkerId>): void {
  const { workers } = store;
  const now = new Set(workerIds);
  const left: number[] = [];
  const candidates = new Set<number>();
  for (const slot of workers.all()) {
    if (!workers.hasRole(slot, role)) continue;
    candidates.add(slot);
    if (!now.has(workers.id(slot))) left.push(slot);
  }
  const isFirstEvent = workers.see(role);
  const joined: number[] = [];
  for (const id of now) {
    const slot = workers.intern(id);
    joined.push(slot);
    candidates.add(slot);
  }
  changeInstances(store, role, joined, left, isFirstEvent ? workers.all() : candidates);
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

/** Applies a snapshot of the prefill instances without any cleanup. */
function replacePrefill(store: FleetStore, workerIds: Iterable<WorkerId>): void {
  const { workers } = store;
  workers.see('prefill');
  const now = new Set(workerIds);
  for (const slot of workers.all()) if (!now.has(workers.id(slot))) workers.leave(slot, 'prefill');
  for (const id of now) workers.join(workers.intern(id), 'prefill');
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
  workers.freeUntilJudged(slot);
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
export function applyPrefillAttached(store: FleetStore, workerIds: readonly WorkerId[]): void {
  const { watches, policy } = store;
  const watch = watches.attached;
  watches.attached += 1;
  if (policy.prefillWatches === 'none') return;
  if (policy.prefillWatches === 'waits' && watches.open !== null) watches.waiting = { watch, workerIds };
  else open(store, watch, workerIds);
}

/** Applies a snapshot of a prefill watch; `undefined` is the watch that was attached last. */
export function applyPrefillInstances(
  store: FleetStore,
  watch: number | undefined,
  workerIds: readonly WorkerId[],
): void {
  const { watches } = store;
  const target = watch ?? watches.attached - 1;
  if (target === watches.open) applyInstances(store, 'prefill', workerIds);
  else if (target === watches.waiting?.watch) watches.waiting = { watch: target, workerIds };
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
    const others = waiting.workerIds.filter((id) => id !== workerId);
    store.watches.waiting = { watch, workerIds: present ? [...others, workerId] : others };
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
  if (waiting !== null) open(store, waiting.watch, waiting.workerIds);
}

function open(store: FleetStore, watch: number, workerIds: readonly WorkerId[]): void {
  store.watches.open = watch;
  if (store.policy.prefillWatches === 'takes-over-and-cleans') applyInstances(store, 'prefill', workerIds);
  else replacePrefill(store, workerIds);
}
