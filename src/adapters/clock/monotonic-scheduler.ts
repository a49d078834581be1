import { asyncScheduler, type SchedulerLike } from 'rxjs';

/**
 * The default scheduler in production: the timers of `asyncScheduler`, and a clock that never goes back.
 *
 * 1. `now()` is the Unix time in milliseconds at the start of the process, plus the elapsed time. A step of the wall clock
 *    (NTP, an operator) does not change it.
 * 2. `schedule` is that of `asyncScheduler`.
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
