import type { Count } from '../count.js';
import { inRange, type RankRange } from '../rank-range.js';
import type { FleetStore } from './fleet-store.js';
import { NO_CAPACITY } from './limit-classes.js';
import { CARD_LIMITS, HAS_RANGE, RANGE_END, RANGE_START } from './worker-slots.js';

/** Capacities that a card gave to a range of ranks. */
export interface CapacityLayer extends RankRange {
  readonly limits: number;
}

/** The range that a worker's newest card declares; only where {@link HAS_RANGE} is set. */
export function rangeOf({ slots }: FleetStore, slot: number): RankRange {
  const at = slots.at(slot);
  return { start: (slots.words[at + RANGE_START] ?? 0) >>> 0, end: (slots.words[at + RANGE_END] ?? 0) >>> 0 };
}

/** Whether a worker's newest card declares a rank; only where {@link HAS_RANGE} is set. Allocates nothing. */
export function declares({ slots }: FleetStore, slot: number, rank: number): boolean {
  const at = slots.at(slot);
  return (
    rank >= (slots.words[at + RANGE_START] ?? 0) >>> 0 && rank < (slots.words[at + RANGE_END] ?? 0) >>> 0
  );
}

/** The class of capacities of one rank: of the newest card that speaks about it. */
export function limitsOf(store: FleetStore, slot: number, rank: number): number {
  const layers = store.layers.get(slot);
  if (layers === undefined) {
    const { slots } = store;
    if (!slots.has(slot, HAS_RANGE) || !declares(store, slot, rank)) return NO_CAPACITY;
    return slots.words[slots.at(slot) + CARD_LIMITS] ?? NO_CAPACITY;
  }
  const newest = (values: readonly (Count | undefined)[]): Count | undefined => {
    const layer = layers.findLast((one) => inRange(rank, one) && values[one.limits] !== undefined);
    return layer && values[layer.limits];
  };
  return store.classes.intern(newest(store.classes.totals), newest(store.classes.batches));
}

/** Takes a card: its range, and its capacities over or instead of the older ones. */
export function takeCapacities(store: FleetStore, slot: number, range: RankRange, limits: number): void {
  const { slots, policy } = store;
  const at = slots.at(slot);
  if (policy.capacity === 'merged' && slots.has(slot, HAS_RANGE)) {
    const present = { ...rangeOf(store, slot), limits: slots.words[at + CARD_LIMITS] ?? NO_CAPACITY };
    const older = (store.layers.get(slot) ?? [present]).filter(
      (one) => !hides(store, { ...range, limits }, one),
    );
    if (older.length > 0) store.layers.set(slot, [...older, { ...range, limits }]);
    else store.layers.delete(slot);
  }
  slots.words[at + RANGE_START] = range.start;
  slots.words[at + RANGE_END] = range.end;
  slots.words[at + CARD_LIMITS] = limits;
  slots.set(slot, HAS_RANGE);
}

/** Whether nothing of an older layer shows under a newer one. */
function hides(
  { classes: { totals, batches } }: FleetStore,
  newer: CapacityLayer,
  older: CapacityLayer,
): boolean {
  return (
    newer.start <= older.start &&
    newer.end >= older.end &&
    (totals[newer.limits] !== undefined || totals[older.limits] === undefined) &&
    (batches[newer.limits] !== undefined || batches[older.limits] === undefined)
  );
}
