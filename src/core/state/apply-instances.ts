import type { InstancesListed, Role } from '../events/fleet-event.js';
import type { WorkerId } from '../worker-id.js';
import { leavingWorker, rejoin, review, reportsNoRanks } from './apply-configs.js';
import { planCleanups } from './cleanup.js';
import type { FleetStore } from './fleet-store.js';
import { judgeQueued, removeOverloadMark } from './judge-workers.js';
import { noRanks, ranksToCleanUp } from './rank-memory.js';
import { DECODE, DOWN, JUDGED_BUSY, PREFILL } from './worker-slots.js';
import { forgetState, memoryOf, noteSettled, queue, touch } from './worker-state.js';

/** Applies a snapshot of the instances of a role. */
export function applyInstances(store: FleetStore, role: Role, { removed, present }: InstancesListed): void {
  const { slots } = store;
  const bit = bitOf(role);
  const left = removed.map((id) => slots.find(id)).filter((slot) => slot !== -1 && slots.has(slot, bit));
  const isFirstEvent = noteSource(store, role);
  const joined = Array.from(present, (id) => slots.intern(id));
  changeInstances(store, role, joined, left, isFirstEvent ? slots.all() : [...left, ...joined]);
}

/** Applies one instance of a role that joined or left. */
export function applyInstance(store: FleetStore, role: Role, id: WorkerId, present: boolean): void {
  const slot = present ? store.slots.intern(id) : store.slots.find(id);
  const isFirstEvent = noteSource(store, role);
  const slots = slot === -1 ? [] : [slot];
  const left = present || slot === -1 || !store.slots.has(slot, bitOf(role)) ? [] : slots;
  if (slot !== -1 && left.length === 0) clearDown(store, slot);
  changeInstances(store, role, present ? slots : [], left, isFirstEvent ? store.slots.all() : slots);
}

/** Applies the first snapshot of a prefill watch without any cleanup. */
function replacePrefill(store: FleetStore, { present }: InstancesListed): void {
  const { slots } = store;
  store.prefillSeen = true;
  const before = [...slots.all()].filter((slot) => slots.has(slot, PREFILL));
  for (const slot of before) leave(store, slot, PREFILL);
  for (const id of present) store.enter(id, PREFILL);
  for (const slot of before) if (!slots.has(slot, DECODE | PREFILL)) clearDown(store, slot);
  for (const slot of slots.all()) review(store, slot);
  rejoin(store, slots.all());
}

/** Applies that a worker was reported down. */
export function applyReportedDown(store: FleetStore, id: WorkerId): void {
  const { slots, policy } = store;
  const slot = slots.find(id);
  if (policy.reportedDown === 'ignored' || slot === -1) return;
  if (!slots.has(slot, DECODE | PREFILL) || slots.has(slot, DOWN)) return;
  if (policy.reportedDown === 'as-instance-left') cleanUpSeries(store, slot, 'decode');
  slots.set(slot, DOWN);
  store.down += 1;
  review(store, slot);
  if (policy.reportedDown === 'as-instance-left') forget(store, slot);
}

function changeInstances(
  store: FleetStore,
  role: Role,
  joined: readonly number[],
  left: readonly number[],
  candidates: Iterable<number>,
): void {
  const { slots } = store;
  const bit = bitOf(role);
  for (const slot of left) if (isPresent(store, slot)) cleanUpSeries(store, slot, role);
  for (const slot of left) {
    clearDown(store, slot);
    leave(store, slot, bit);
  }
  for (const slot of joined) {
    store.enter(slots.id(slot), bit);
    clearDown(store, slot);
    review(store, slot);
  }
  for (const slot of left) {
    if (!isPresent(store, slot)) forget(store, slot);
    review(store, slot);
    store.maybeEmpty.push(slot);
  }
  rejoin(store, candidates);
  judgeQueued(store, 'instances');
}

/** Notes that a role has a source. Its first event may change which workers are known. Returns whether it is the first. */
function noteSource(store: FleetStore, role: Role): boolean {
  const seen = role === 'decode' ? store.decodeSeen : store.prefillSeen;
  if (role === 'decode') store.decodeSeen = true;
  else store.prefillSeen = true;
  if (!seen) for (const slot of store.slots.all()) review(store, slot);
  return !seen;
}

/** Plans the cleanup of a worker that left a role: of its remembered ranks, or of rank 0 when its ranks are unknown. */
function cleanUpSeries(store: FleetStore, slot: number, role: Role): void {
  const ranks = ranksToCleanUp(memoryOf(store, slot) ?? (reportsNoRanks(store, slot) ? noRanks : undefined));
  const { cleanupOnInstanceLeft } = store.policy;
  store.pendingCleanups.push(
    ...planCleanups(cleanupOnInstanceLeft, store.poolRole, leavingWorker(store, slot), ranks, role),
  );
}

/** Forgets what the policy says about a worker that left. */
function forget(store: FleetStore, slot: number): void {
  const { slots } = store;
  const rule = store.policy.instanceLeft;
  if (rule === 'stays') return;
  touch(store, slot);
  slots.set(slot, JUDGED_BUSY, false);
  removeOverloadMark(store, slot);
  queue(store, slot);
  if (rule === 'not-busy') return;
  const remembered = memoryOf(store, slot);
  forgetState(store, slot);
  if (rule === 'forgotten-with-ranks' || remembered === undefined) store.memory.delete(slot);
  else store.memory.set(slot, remembered);
  noteSettled(store, slot);
}

/** Whether a worker has an instance in either role. Where being reported down is the same as leaving, it must not be down. */
function isPresent({ slots, policy }: FleetStore, slot: number): boolean {
  if (policy.reportedDown === 'as-instance-left' && slots.has(slot, DOWN)) return false;
  return slots.has(slot, DECODE | PREFILL);
}

function leave(store: FleetStore, slot: number, bit: number): void {
  store.slots.set(slot, bit, false);
  if (!store.slots.has(slot, DECODE | PREFILL)) store.instances -= 1;
  store.maybeEmpty.push(slot);
}

/** Clears that a worker is down: an instance source named it, or its last instance left. */
function clearDown(store: FleetStore, slot: number): void {
  if (!store.slots.has(slot, DOWN)) return;
  store.slots.set(slot, DOWN, false);
  store.down -= 1;
}

function bitOf(role: Role): number {
  return role === 'decode' ? DECODE : PREFILL;
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
