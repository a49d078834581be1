import { mergeMap, type OperatorFunction } from 'rxjs';
import type { Cleanup } from './cleanup.js';
import type { FleetStep } from './fleet-step.js';

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
