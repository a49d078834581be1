import { type OperatorFunction, distinctUntilChanged, filter, map, mergeMap, pipe } from 'rxjs';
import type { Problem } from '../sources/problem.js';
import { type BusySet, isSameBusySet } from '../state/busy-set.js';
import type { Cleanup } from '../state/cleanup.js';
import type { FleetStep, Transition } from '../state/fleet-step.js';

/**
 * Emits the busy set: the first one, then each one that differs from the one before.
 *
 * 1. Sets differ when their ids differ. The first step of a run has the initial, empty set, so that no
 *    subscriber keeps the workers of the run before.
 * 2. It errors and completes as its source does.
 *
 * | on | effect |
 * |---|---|
 * | next | the busy set, if it differs |
 * | error | errors at once |
 * | end | completes at once |
 * | unsubscribe | the source is unsubscribed |
 * | late subscription | a cold source runs again; a hot one gives the set of its next step, then those that differ |
 * | resubscription | a cold source runs again; a set that was emitted before may be emitted again |
 *
 * ```
 * s--s--s--s----|      steps, of which the second did not change the busy set
 *   busySets()
 * b-----b--b----|
 * ```
 *
 * @see {@link reduceFleet}, {@link transitions}
 */
export function busySets(): OperatorFunction<FleetStep, BusySet> {
  return (steps$) =>
    steps$.pipe(
      map((step) => step.busy),
      distinctUntilChanged(isSameBusySet),
    );
}

/** Emits each item of a list of every step. Most lists are empty, and cost no inner stream. */
function eachOf<T>(list: (step: FleetStep) => readonly T[]): OperatorFunction<FleetStep, T> {
  return pipe(
    map(list),
    filter((items) => items.length > 0),
    mergeMap((items) => items),
  );
}

/**
 * Emits each transition: one item for each worker whose state changed, with its verdict.
 *
 * 1. The transitions of one step are emitted in ascending order of worker ids, before the next step.
 * 2. It errors and completes as its source does.
 *
 * | on | effect |
 * |---|---|
 * | next | its transitions, by worker id; nothing, if there are none |
 * | error | errors at once |
 * | end | completes at once |
 * | unsubscribe | the source is unsubscribed |
 * | late subscription | a cold source runs again; a hot one gives only later transitions |
 * | resubscription | a cold source runs again, and its transitions are emitted again |
 *
 * ```
 * --s-----s-----|      steps: two transitions, then one
 *   transitions()
 * --(tt)--t-----|
 * ```
 *
 * @see {@link reduceFleet}, {@link busySets}
 */
export function transitions(): OperatorFunction<FleetStep, Transition> {
  return eachOf(({ transitions }) => transitions);
}

/**
 * Emits each cleanup: the metric series of workers and ranks that left.
 *
 * 1. For each event there is at most one cleanup of a worker and type. Depending on the policy, the same cleanup may be
 *    emitted again later.
 * 2. It errors and completes as its source does.
 *
 * | on | effect |
 * |---|---|
 * | next | its cleanups, in order; nothing, if there are none |
 * | error | errors at once |
 * | end | completes at once |
 * | unsubscribe | the source is unsubscribed |
 * | late subscription | a cold source runs again; a hot one gives only later cleanups |
 * | resubscription | a cold source runs again, and its cleanups are emitted again |
 *
 * ```
 * --s-----s-----|      steps: two cleanups, then none
 *   cleanups()
 * --(cc)--------|
 * ```
 *
 * @see {@link performCleanup}
 */
export function cleanups(): OperatorFunction<FleetStep, Cleanup> {
  return eachOf(({ cleanups }) => cleanups);
}

/**
 * Emits each problem: something was wrong, but the stream continued.
 *
 * 1. The problems of one step are emitted in the order in which they were found, before the next step.
 * 2. It errors and completes as its source does.
 *
 * | on | effect |
 * |---|---|
 * | next | its problems, in order; nothing, if there are none |
 * | error | errors at once |
 * | end | completes at once |
 * | unsubscribe | the source is unsubscribed |
 * | late subscription | a cold source runs again; a hot one gives only later problems |
 * | resubscription | a cold source runs again, and its problems are emitted again |
 *
 * ```
 * --s-----s-----|      steps: two problems, then none
 *   problems()
 * --(pp)--------|
 * ```
 *
 * @see {@link reduceFleet}
 */
export function problems(): OperatorFunction<FleetStep, Problem> {
  return eachOf(({ problems }) => problems);
}
