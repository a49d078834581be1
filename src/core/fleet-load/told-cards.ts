import { fleetProblems } from '../fleet-problems.js';
import { declaredRanks, declaresNoRanks, type RankRange } from '../rank-range.js';
import type { RuntimeConfig } from '../runtime-config.js';
import type { WorkerId } from '../worker-id.js';
import { rangeOf } from './capacities.js';
import type { FleetStore } from './fleet-store.js';
import {
  CARD_LIMITS,
  COUNTED,
  DECODE,
  POSSIBLE,
  PREFILL,
  TOLD,
  TOLD_END,
  TOLD_LIMITS,
  TOLD_START,
} from './worker-slots.js';

/** Notes what discovery tells of a worker’s card, and tells an impossible range once. */
export function tell(store: FleetStore, id: WorkerId, card: RuntimeConfig): number {
  const { slots, policy } = store;
  const slot = slots.intern(id);
  const at = slots.at(slot);
  const range = declaredRanks(card, policy);
  const start = card.dataParallelStartRank ?? 0;
  const size = card.dataParallelSize ?? 1;
  if (range === undefined && policy.rankRange === 'checked-and-reported') {
    // An impossible range is kept as start and size, to tell it once and not with every repetition of the card.
    const known = slots.has(slot, TOLD) && !slots.has(slot, POSSIBLE);
    const same =
      (slots.words[at + TOLD_START] ?? 0) >>> 0 === start && (slots.words[at + TOLD_END] ?? 0) >>> 0 === size;
    if (!known || !same) store.problems.push(fleetProblems.rankRange(id, card));
  }
  slots.words[at + TOLD_START] = range?.start ?? start;
  slots.words[at + TOLD_END] = range?.end ?? size;
  slots.words[at + TOLD_LIMITS] = store.classes.intern(card.totalKvBlocks, card.maxNumBatchedTokens);
  slots.set(slot, TOLD);
  slots.set(slot, POSSIBLE, range !== undefined);
  return slot;
}

/** Notes that discovery withdrew a worker’s card. */
export function untell(store: FleetStore, slot: number): void {
  store.slots.set(slot, TOLD | POSSIBLE, false);
  store.maybeEmpty.push(slot);
}

/** The ranks that the told card declares; only where it is possible. */
export function toldRange({ slots }: FleetStore, slot: number): RankRange {
  const at = slots.at(slot);
  return { start: (slots.words[at + TOLD_START] ?? 0) >>> 0, end: (slots.words[at + TOLD_END] ?? 0) >>> 0 };
}

/** Whether the told card does not count and says all the same that its worker has no ranks. */
export function toldNoRanks({ slots, policy }: FleetStore, slot: number): boolean {
  if (!slots.has(slot, TOLD) || slots.has(slot, POSSIBLE)) return false;
  return declaresNoRanks({ dataParallelSize: (slots.words[slots.at(slot) + TOLD_END] ?? 0) >>> 0 }, policy);
}

/** Whether a worker’s card counts, as the policy has it. */
export function cardCounts({ slots, policy, decodeSeen, prefillSeen }: FleetStore, slot: number): boolean {
  if (!slots.has(slot, POSSIBLE)) return false;
  switch (policy.cardsThatCount) {
    case 'all':
      return true;
    case 'joined':
      return slots.has(slot, DECODE);
    case 'joined-with-both-roles':
      return (!decodeSeen && !prefillSeen) || slots.has(slot, DECODE | PREFILL);
  }
}

/**
 * Whether the join of cards and instances has another word on a worker than it had. What the card said last stays
 * in its words, also when its state was forgotten.
 */
export function joinChanged(store: FleetStore, slot: number): boolean {
  const { slots } = store;
  const counts = cardCounts(store, slot);
  if (counts !== slots.has(slot, COUNTED)) return true;
  if (!counts) return false;
  const told = toldRange(store, slot);
  const present = rangeOf(store, slot);
  const at = slots.at(slot);
  return (
    told.start !== present.start ||
    told.end !== present.end ||
    slots.words[at + TOLD_LIMITS] !== slots.words[at + CARD_LIMITS]
  );
}
