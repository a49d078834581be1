import { type OperatorFunction, type SchedulerLike, asyncScheduler, filter, map } from 'rxjs';
import type { FleetStart } from '../events/fleet-event.js';
import type { LoadPolicy } from '../policy/load-policy.js';
import { checkThresholds } from '../policy/load-threshold-config.js';
import type { FleetStep } from '../state/fleet-step.js';
import { type FleetInput, foldFleet, isStep } from './fold-fleet.js';

/**
 * Folds fleet events into a load state, and emits what each event changed.
 *
 * 1. Every subscription has its own state, which starts with `start`. The first step is emitted on subscription and has
 *    the initial, empty busy set.
 * 2. For each event the state changes first. Then, if anything changed, one step is emitted, synchronously. An event that
 *    a subscriber causes waits until every subscriber has received the step. The rows of a batch are taken one by one.
 * 3. A timer ends overload marks, as an event.
 * 4. The time of a step is `scheduler.now()`.
 * 5. It errors and completes as its source does. It also completes when an event stops the state, or ends it under the
 *    policy. The state itself never errors.
 *
 * | on | effect |
 * |---|---|
 * | subscribe | the first step, before the source is subscribed to |
 * | next | the state changes; one step, if anything changed |
 * | error | errors without a step |
 * | end | completes without a step |
 * | unsubscribe | the source is unsubscribed, and the state is discarded |
 * | late subscription | its own state from `start`; a cold source runs again, a hot one continues |
 * | resubscription | a new state from `start`, and its first step |
 *
 * ```
 * --l--l--l--c--|      events: loads and a config
 *   reduceFleet(policy)
 * s-------s--s--|      the first step, then one whenever something changed
 * ```
 *
 * @param start what is known before the first event; nothing when absent
 *
 * @throws ThresholdError, when it is called, for thresholds that the policy refuses
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { loadEvents, policies, reduceFleet, workerId } from 'tidemark';
 *
 * const load = { workerId: workerId('7'), dpRank: 0, activeDecodeBlocks: null, kvUsedBlocks: null };
 * of({ ...load, activePrefillTokens: 5 }, { ...load, activePrefillTokens: 11 })
 *   .pipe(loadEvents(), reduceFleet(policies.default, { thresholds: { activePrefillTokensThreshold: 10 } }))
 *   .subscribe(({ fleet, busy, problems }) => console.log(fleet.known, busy.ids, problems.length));
 * // Logs: 0 [] 0
 * // Logs: 1 [] 0
 * // Logs: 1 [ '7' ] 0
 * // Logs: 1 [ '7' ] 1
 * ```
 *
 * @see {@link busySets}, {@link transitions}, {@link cleanups}, {@link loadMonitor}
 */
export function reduceFleet(
  policy: LoadPolicy,
  start: FleetStart = {},
  scheduler: SchedulerLike = asyncScheduler,
): OperatorFunction<FleetInput, FleetStep> {
  checkThresholds(start.thresholds ?? {}, policy);
  return (inputs$) =>
    inputs$.pipe(
      foldFleet(policy, start, scheduler),
      map(({ made }) => made),
      filter(isStep),
    );
}
