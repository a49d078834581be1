import { asyncScheduler, type SchedulerAction, type SchedulerLike } from 'rxjs';
import { monotonicScheduler } from '../../../src/adapters/clock/monotonic-scheduler.js';

/**
 * A scheduler in real time whose delays are divided by `factor`, so that minutes of upkeep take seconds. `fired` counts
 * the actions that ran.
 */
export function fasterScheduler(factor: number): SchedulerLike & { readonly fired: number } {
  let fired = 0;
  return {
    get fired() {
      return fired;
    },
    now: () => monotonicScheduler.now(),
    schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delay = 0, state?: T) {
      const accelerated = function (this: SchedulerAction<T>, next?: T): void {
        fired += 1;
        const again = Object.getPrototypeOf(this) as SchedulerAction<T>;
        // An action that repeats calls its own `schedule` and not that of the scheduler.
        this.schedule = (later?: T, ms = 0) => again.schedule.call(this, later, ms / factor);
        work.call(this, next);
      };
      return asyncScheduler.schedule<T>(accelerated, delay / factor, state);
    },
  };
}

/** A clock that can be stepped, as an operator or NTP does, while timers continue. */
export function steppedClock(): SchedulerLike & { stepMs: number } {
  return {
    stepMs: 0,
    now() {
      return monotonicScheduler.now() + this.stepMs;
    },
    schedule: (...args: Parameters<SchedulerLike['schedule']>) => asyncScheduler.schedule(...args),
  };
}
