import { distinctUntilChanged, filter, map, type OperatorFunction } from 'rxjs';
import type { BusySet } from './busy-set.js';
import type { FleetStep } from './fleet-step.js';

/**
 * The busy set, whenever it differs from the one before.
 *
 * 1. Emits only when the set of ids differs from the one before; the empty set of the beginning is not emitted.
 * 2. Errors and completes as its source does.
 *
 * | on | it does |
 * |---|---|
 * | next | the busy set, if it differs |
 * | error | errors at once |
 * | end | completes at once |
 * | unsubscribe | the source is left |
 * | late subscription | a cold source runs anew; a hot one gives the set of its next step, then those that differ |
 * | re-connection | a cold source runs anew; a set that was emitted before comes again |
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
      distinctUntilChanged(sameSet),
    );
}

/** Within one run versions tell; a run that begins anew counts its versions anew, so there the ids are compared. */
function sameSet(a: BusySet, b: BusySet): boolean {
  if (a === b || b.version > a.version) return a === b;
  return a.size === b.size && [...a].every((id) => b.has(id));
}
