import { mergeMap, type OperatorFunction } from 'rxjs';
import type { FleetStep } from './fleet-step.js';
import type { Transition } from './transition.js';

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
