import { mergeMap, type OperatorFunction } from 'rxjs';
import type { FleetStep } from './fleet-step.js';
import type { Transition } from './transition.js';

/**
 * Every crossing: one item for each worker that became busy or free, with the verdict on it.
 *
 * 1. The crossings of one step come one after the other, by worker id, before the next step.
 * 2. Errors and completes as its source does.
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
