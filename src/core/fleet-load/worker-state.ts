import { neededRanks } from '../is-busy.js';
import type { FleetStore } from './fleet-store.js';
import { blockOf, setBlock } from './rank-block.js';
import {
  BUSY_RANKS,
  COUNTED,
  COUNTED_RANKS,
  DECODE,
  DOWN,
  HAS_RANGE,
  HAS_STATE,
  KEEPS,
  PREFILL,
  RANGE_END,
  RANGE_START,
  TO_JUDGE,
  TOUCHED,
} from './worker-slots.js';

/** Notes that a worker may cross in this event; its status before is kept for the reason. */
export function touch(store: FleetStore, slot: number): void {
  const before = store.slots.status(slot);
  if ((before & TOUCHED) !== 0) return;
  store.slots.set(slot, TOUCHED);
  store.touched.push({ slot, before });
}

/** Notes that a worker must be judged at the next event that judges. */
export function queue(store: FleetStore, slot: number): void {
  if (store.slots.has(slot, TO_JUDGE)) return;
  store.slots.set(slot, TO_JUDGE);
  store.toJudge.push(slot);
}

/** Whether a worker is known, and therefore judged, as the policy says. */
export function isKnown(
  store: Pick<FleetStore, 'slots' | 'policy' | 'cardsSeen' | 'decodeSeen' | 'prefillSeen'>,
  slot: number,
): boolean {
  const rule = store.policy.unknownWorkers;
  const status = store.slots.status(slot);
  if (rule.loads === 'tracked') return true;
  if (rule.loads === 'dropped') return (status & DECODE) !== 0 && (status & DOWN) === 0;
  if (store.cardsSeen) return (status & COUNTED) !== 0;
  return (!store.decodeSeen && !store.prefillSeen) || (status & (DECODE | PREFILL)) !== 0;
}

/** Whether a worker's ranks make it busy, by its counters. */
export function isAboveMarks(store: FleetStore, slot: number): boolean {
  const { slots, policy } = store;
  const at = slots.at(slot);
  if (!slots.has(slot, HAS_STATE)) return false;
  const declared = policy.ranksJudged === 'declared' && slots.has(slot, HAS_RANGE);
  const judged = declared
    ? ((slots.words[at + RANGE_END] ?? 0) >>> 0) - ((slots.words[at + RANGE_START] ?? 0) >>> 0)
    : (slots.words[at + COUNTED_RANKS] ?? 0);
  return judged > 0 && (slots.words[at + BUSY_RANKS] ?? 0) >= neededRanks(policy.rollUp, judged);
}

/** Gives a worker a state. */
export function ensureState(store: FleetStore, slot: number): void {
  const { slots } = store;
  if (slots.has(slot, HAS_STATE)) return;
  touch(store, slot);
  slots.set(slot, HAS_STATE);
  store.states += 1;
  noteSettled(store, slot);
}

/** Keeps the sets of unsettled and held workers true after a change of a worker's state, card or roles. */
export function noteSettled(store: FleetStore, slot: number): void {
  const hasState = store.slots.has(slot, HAS_STATE);
  const holds = store.policy.unknownWorkers.loads === 'held';
  const loose = store.slots.has(slot, COUNTED)
    ? !store.slots.has(slot, HAS_RANGE)
    : !holds && (hasState || store.memory.has(slot));
  if (loose) store.unsettled.add(slot);
  else store.unsettled.delete(slot);
  if (!holds) return;
  if (hasState && !isKnown(store, slot)) store.held.add(slot);
  else store.held.delete(slot);
}

/** Forgets what a worker's ranks reported, and its capacities. */
export function forgetState(store: FleetStore, slot: number): void {
  const { slots, cells } = store;
  if (!slots.has(slot, HAS_STATE)) return;
  touch(store, slot);
  const block = blockOf(store, slot);
  cells.release(block);
  setBlock(store, slot, block);
  const at = slots.at(slot);
  slots.words[at + BUSY_RANKS] = 0;
  slots.words[at + COUNTED_RANKS] = 0;
  slots.set(slot, HAS_STATE | HAS_RANGE, false);
  store.layers.delete(slot);
  store.states -= 1;
  queue(store, slot);
  noteSettled(store, slot);
}

/** Gives the slots back of workers of which nothing is left. */
export function releaseEmpty(store: FleetStore): void {
  const { slots, maybeEmpty } = store;
  store.maybeEmpty = [];
  for (const slot of maybeEmpty) {
    if (slots.has(slot, KEEPS) || store.memory.has(slot) || slots.find(slots.id(slot)) !== slot) continue;
    slots.release(slot);
  }
}
