import { asyncScheduler, type SchedulerLike } from 'rxjs';

/**
 * The scheduler of everything that runs beside the real world: timers as `asyncScheduler` sets them, and a clock
 * that never goes back.
 *
 * 1. `now()` is in milliseconds since 1970 as the wall clock was when the process started, plus what has passed
 *    since. A step of the wall clock (NTP, an operator) does not move it.
 * 2. `schedule` is that of `asyncScheduler`, whose timers count from when they are set.
 *
 * @example
 * ```ts
 * import { monotonicScheduler } from 'tidemark/clock';
 *
 * const before = monotonicScheduler.now();
 * console.log(monotonicScheduler.now() >= before);
 * // Logs: true
 * ```
 */
export const monotonicScheduler: SchedulerLike = {
  now: () => performance.timeOrigin + performance.now(),
  schedule: (...args: Parameters<SchedulerLike['schedule']>) => asyncScheduler.schedule(...args),
};
