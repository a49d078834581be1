import type { FleetCounts } from '../fleet-counts.js';
import type { FleetStore } from './fleet-store.js';

/** How the fleet stands, in numbers. */
export function countFleet({ states, held, busy, marked, instances, down }: FleetStore): FleetCounts {
  return {
    known: states - held.size,
    held: held.size,
    busy: busy.size,
    marked: marked.size,
    instances,
    down,
  };
}

/** The same counts, as long as none of them changed. */
export function countIfChanged(store: FleetStore, counts: FleetCounts): FleetCounts {
  const same =
    counts.busy === store.busy.size &&
    counts.known + counts.held === store.states &&
    counts.held === store.held.size &&
    counts.marked === store.marked.size &&
    counts.instances === store.instances &&
    counts.down === store.down;
  return same ? counts : countFleet(store);
}
