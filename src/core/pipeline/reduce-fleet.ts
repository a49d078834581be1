import { asyncScheduler, Observable, type OperatorFunction, type SchedulerLike } from 'rxjs';
import type { FleetEvent, FleetStart } from '../events/fleet-event.js';
import type { LoadPolicy } from '../policy/load-policy.js';
import { FleetLoad } from '../state/fleet-load.js';
import type { FleetStep } from '../state/fleet-step.js';

/**
 * Folds fleet events into a load state, and emits what each event changed.
 *
 * 1. Every subscription has its own state, which starts with `start`.
 * 2. For each event the state changes first. Then, if anything changed, one step is emitted, synchronously.
 * 3. The time of a step is `scheduler.now()`.
 * 4. It errors and completes as its source does; the state itself never errors. If a subscriber of the steps may cause
 *    events, put a {@link trampoline} in front of it.
 *
 * | on | effect |
 * |---|---|
 * | next | the state changes; one step, if anything changed |
 * | error | errors at once, without a step |
 * | end | completes at once, without a step |
 * | unsubscribe | the source is unsubscribed, and the state is discarded |
 * | late subscription | its own state from `start`; a cold source runs again, a hot one continues |
 * | resubscription | a new state from `start` |
 *
 * ```
 * --l--l--l--c--|      events: loads and a config
 *   reduceFleet(policy)
 * --------s--s--|      a step only when something changed
 * ```
 *
 * @param start what is known before the first event; nothing when absent
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { policies, reduceFleet, workerId, type FleetEvent } from 'tidemark';
 *
 * const load = { kind: 'load', workerId: workerId('7'), dpRank: 0, activeDecodeBlocks: null, kvUsedBlocks: null } as const;
 * const events$ = of<FleetEvent[]>({ ...load, activePrefillTokens: 5 }, { ...load, activePrefillTokens: 11 });
 * events$
 *   .pipe(reduceFleet(policies.default, { thresholds: { activePrefillTokensThreshold: 10 } }))
 *   .subscribe((step) => console.log(step.busy.version, [...step.busy]));
 * // Logs: 0 []
 * // Logs: 1 [ '7' ]
 * ```
 *
 * @see {@link busySets}, {@link transitions}, {@link cleanups}, {@link loadMonitor}
 */
export function reduceFleet(
  policy: LoadPolicy,
  start: FleetStart = {},
  scheduler: SchedulerLike = asyncScheduler,
): OperatorFunction<FleetEvent, FleetStep> {
  return (events$) =>
    new Observable((subscriber) => {
      const fleet = new FleetLoad(policy, start);
      return events$.subscribe({
        next: (event) => {
          const step = fleet.apply(event, scheduler.now());
          if (step !== null) subscriber.next(step);
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      });
    });
}
