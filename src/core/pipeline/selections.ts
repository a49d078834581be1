import { type OperatorFunction, distinctUntilChanged, filter, map, mergeMap } from 'rxjs';
import type { BusySet } from '../state/busy-set.js';
import type { Cleanup } from '../state/cleanup.js';
import type { FleetStep, Transition } from '../state/fleet-step.js';

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
      distinctUntilChanged(isSameSet),
    );
}

/** Within one run versions tell; a run that begins anew counts its versions anew, so there the ids are compared. */
function isSameSet(a: BusySet, b: BusySet): boolean {
  if (a === b || b.version > a.version) return a === b;
  return a.size === b.size && [...a].every((id) => b.has(id));
}

/**
 * Every crossing: one item for each worker that became busy or free, with the verdict on it.
 *
 * 1. The crossings of one step come one after the other, by worker id, before the next step.
 * 2. Errors and completes as its source does.
 *
 * | on | it does |
 * |---|---|
 * | next | its crossings, by worker id; nothing, if there are none |
 * | error | errors at once |
 * | end | completes at once |
 * | unsubscribe | the source is left |
 * | late subscription | a cold source runs anew; of a hot one only the crossings that come |
 * | re-connection | a cold source runs anew, and tells its crossings again |
 *
 * ```
 * --s-----s-----|      steps: two workers crossed, then one
 *   transitions()
 * --(tt)--t-----|
 * ```
 *
 * @see {@link reduceFleet}, {@link busySets}
 */
export function transitions(): OperatorFunction<FleetStep, Transition> {
  return mergeMap((step) => step.transitions);
}

/**
 * Every cleanup command: the metric series of workers and ranks that left.
 *
 * 1. A worker and type occurs at most once for each input event; the same command may come again later, as the
 *    policy has it.
 * 2. Errors and completes as its source does.
 *
 * | on | it does |
 * |---|---|
 * | next | its commands, in order; nothing, if there are none |
 * | error | errors at once |
 * | end | completes at once |
 * | unsubscribe | the source is left |
 * | late subscription | a cold source runs anew; of a hot one only the commands that come |
 * | re-connection | a cold source runs anew, and gives its commands again |
 *
 * ```
 * --s-----s-----|      steps: two series to drop, then none
 *   cleanups()
 * --(cc)--------|
 * ```
 *
 * @see {@link performCleanup}
 */
export function cleanups(): OperatorFunction<FleetStep, Cleanup> {
  return mergeMap((step) => step.cleanups);
}
