import type { Count } from '../count.js';
import { type RankRange, inRange } from '../judgement/rank-state.js';
import type { FleetStore } from './fleet-store.js';
import { type CapacityLayer, NO_CAPACITY, POOL_GROUP } from './limit-classes.js';

/** The limit class of one rank: its capacities, and the thresholds of its worker. */
export function limitsOf(store: FleetStore, slot: number, rank: number): number {
  const { workers, classes, ownThresholds } = store;
  const capacity = capacityOf(store, slot, rank);
  if (ownThresholds.size === 0) return capacity;
  const group = ownThresholds.groupOf(workers.id(slot));
  if (group === POOL_GROUP) return capacity;
  return classes.intern(classes.totals[capacity], classes.batches[capacity], group);
}

/** The class of the capacities of one rank, from the newest config that declares it. */
function capacityOf({ workers, classes }: FleetStore, slot: number, rank: number): number {
  const layers = workers.layersOf(slot);
  if (layers === undefined) {
    if (!workers.hasRange(slot) || !workers.declares(slot, rank)) return NO_CAPACITY;
    return workers.configLimits(slot);
  }
  const newest = (values: readonly (Count | undefined)[]): Count | undefined => {
    const layer = layers.findLast(
      (candidate) => inRange(rank, candidate) && values[candidate.limits] !== undefined,
    );
    return layer && values[layer.limits];
  };
  return classes.intern(newest(classes.totals), newest(classes.batches));
}

const noLayers: readonly CapacityLayer[] = [];

/** Stores the range and the capacities of a config. The capacities cover the older ones, or replace them. */
export function takeCapacities(store: FleetStore, slot: number, range: RankRange, limits: number): void {
  const { workers, policy } = store;
  if (policy.capacity !== 'merged' || !workers.hasRange(slot)) {
    workers.declare(slot, range, limits, noLayers);
    return;
  }
  const newest = { ...range, limits };
  const present = { ...workers.range(slot), limits: workers.configLimits(slot) };
  const older = (workers.layersOf(slot) ?? [present]).filter((layer) => !hides(store, newest, layer));
  workers.declare(slot, range, limits, older.length > 0 ? [...older, newest] : noLayers);
}

/** Whether a newer layer covers an older one completely. */
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
