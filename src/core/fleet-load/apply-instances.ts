import { dropsBy } from '../cleanup-drops.js';
import type { Role } from '../fleet-event.js';
import { noRanks, ranksOfLeaver } from '../rank-memory.js';
import type { WorkerId } from '../worker-id.js';
import { leaverOf, rejoin, review } from './apply-cards.js';
import { judgeQueued, unmark } from './apply-marks.js';
import type { FleetStore } from './fleet-store.js';
import { memoryOf } from './rank-block.js';
import { toldNoRanks } from './told-cards.js';
import { forgetState, noteSettled, queue, touch } from './worker-state.js';
import { DECODE, DOWN, JUDGED_BUSY, PREFILL } from './worker-slots.js';

/** The instances of a role are these now. */
export function applyInstances(store: FleetStore, role: Role, workerIds: Iterable<WorkerId>): void {
  const { slots } = store;
  const bit = bitOf(role);
  const now = new Set(workerIds);
  const gone: number[] = [];
  const candidates = new Set<number>();
  for (const slot of slots.all()) {
    if (!slots.has(slot, bit)) continue;
    candidates.add(slot);
    if (!now.has(slots.id(slot))) gone.push(slot);
  }
  const firstWord = see(store, role);
  const came: number[] = [];
  for (const id of now) {
    const slot = slots.intern(id);
    came.push(slot);
    candidates.add(slot);
  }
  change(store, role, came, gone, firstWord ? slots.all() : candidates);
}

/** One instance of a role came or went. */
export function applyInstance(store: FleetStore, role: Role, id: WorkerId, present: boolean): void {
  const slot = present ? store.slots.intern(id) : store.slots.find(id);
  const firstWord = see(store, role);
  const one = slot === -1 ? [] : [slot];
  const gone = present || slot === -1 || !store.slots.has(slot, bitOf(role)) ? [] : one;
  if (slot !== -1 && gone.length === 0) raise(store, slot);
  change(store, role, present ? one : [], gone, firstWord ? store.slots.all() : one);
}

/** The prefill instances are these now, and nobody is cleaned up for it. */
export function replacePrefill(store: FleetStore, workerIds: Iterable<WorkerId>): void {
  const { slots } = store;
  store.prefillSeen = true;
  const before = [...slots.all()].filter((slot) => slots.has(slot, PREFILL));
  for (const slot of before) leave(store, slot, PREFILL);
  for (const id of workerIds) store.enter(id, PREFILL);
  for (const slot of before) if (!slots.has(slot, DECODE | PREFILL)) raise(store, slot);
  for (const slot of slots.all()) review(store, slot);
  rejoin(store, slots.all());
}

/** One worker was reported down. */
export function applyReportedDown(store: FleetStore, id: WorkerId): void {
  const { slots, policy } = store;
  const slot = slots.find(id);
  if (policy.reportedDown === 'ignored' || slot === -1) return;
  if (!slots.has(slot, DECODE | PREFILL) || slots.has(slot, DOWN)) return;
  if (policy.reportedDown === 'as-instance-left') dropSeries(store, slot, 'decode');
  slots.set(slot, DOWN);
  store.down += 1;
  review(store, slot);
  if (policy.reportedDown === 'as-instance-left') forget(store, slot);
}

function change(
  store: FleetStore,
  role: Role,
  came: readonly number[],
  gone: readonly number[],
  candidates: Iterable<number>,
): void {
  const { slots } = store;
  const bit = bitOf(role);
  for (const slot of gone) if (isPresent(store, slot)) dropSeries(store, slot, role);
  for (const slot of gone) {
    raise(store, slot);
    leave(store, slot, bit);
  }
  for (const slot of came) {
    store.enter(slots.id(slot), bit);
    raise(store, slot);
    review(store, slot);
  }
  for (const slot of gone) {
    if (!isPresent(store, slot)) forget(store, slot);
    review(store, slot);
    store.maybeEmpty.push(slot);
  }
  rejoin(store, candidates);
  judgeQueued(store, 'instances');
}

/** Notes that a role has a source. With its first word everybody's standing may change. */
function see(store: FleetStore, role: Role): boolean {
  const seen = role === 'decode' ? store.decodeSeen : store.prefillSeen;
  if (role === 'decode') store.decodeSeen = true;
  else store.prefillSeen = true;
  if (!seen) for (const slot of store.slots.all()) review(store, slot);
  return !seen;
}

/** The metric series of a worker that left a role: of its remembered ranks, or of rank 0 when they are not known. */
function dropSeries(store: FleetStore, slot: number, role: Role): void {
  const ranks = ranksOfLeaver(memoryOf(store, slot) ?? (toldNoRanks(store, slot) ? noRanks : undefined));
  const { cleanupOnInstanceLeft } = store.policy;
  store.drops.push(...dropsBy(cleanupOnInstanceLeft, store.source, leaverOf(store, slot), ranks, role));
}

/** Forgets of a worker that left what the policy forgets. */
function forget(store: FleetStore, slot: number): void {
  const { slots } = store;
  const rule = store.policy.instanceLeft;
  if (rule === 'stays') return;
  touch(store, slot);
  slots.set(slot, JUDGED_BUSY, false);
  unmark(store, slot);
  queue(store, slot);
  if (rule === 'not-busy') return;
  const remembered = memoryOf(store, slot);
  forgetState(store, slot);
  if (rule === 'forgotten-with-ranks' || remembered === undefined) store.memory.delete(slot);
  else store.memory.set(slot, remembered);
  noteSettled(store, slot);
}

/** Whether a worker is there, in either role. One that was reported down is not, where that is as if it had left. */
function isPresent({ slots, policy }: FleetStore, slot: number): boolean {
  if (policy.reportedDown === 'as-instance-left' && slots.has(slot, DOWN)) return false;
  return slots.has(slot, DECODE | PREFILL);
}

function leave(store: FleetStore, slot: number, bit: number): void {
  store.slots.set(slot, bit, false);
  if (!store.slots.has(slot, DECODE | PREFILL)) store.instances -= 1;
  store.maybeEmpty.push(slot);
}

/** A worker that an instance source names or withdraws, or that is no instance any more, is no longer down. */
function raise(store: FleetStore, slot: number): void {
  if (!store.slots.has(slot, DOWN)) return;
  store.slots.set(slot, DOWN, false);
  store.down -= 1;
}

function bitOf(role: Role): number {
  return role === 'decode' ? DECODE : PREFILL;
}
