import { distinctUntilChanged, filter, map, type OperatorFunction } from 'rxjs';
import type { BusySet } from './busy-set.js';
import type { FleetStep } from './fleet-step.js';

/**
 * The busy set of each step that changed it.
 *
 * 1. Emits only when the set of ids differs from the one before; the empty set of the beginning is not emitted.
 * 2. Errors and completes as its source does.
 *
 * ```
 * --s--s--s--s--|      steps, of which the second changed no busy worker
 *   busySets()
 * --b-----b--b--|
 * ```
 *
 * @see {@link reduceFleet}, {@link transitions}
 */
export function busySets(): OperatorFunction<FleetStep, BusySet> {
  return (steps$) =>
    steps$.pipe(
      map((step) => step.busy),
      filter((busy) => busy.version > 0),
      distinctUntilChanged((a, b) => a.version === b.version),
    );
}
