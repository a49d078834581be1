import { asyncScheduler, type SchedulerAction, type SchedulerLike } from 'rxjs';
import { monotonicScheduler } from '../../../src/adapters/clock/monotonic-scheduler.js';

/**
 * Real time in which everything is waited for so many times shorter: minutes of upkeep in seconds. `fired` counts what
 * was done when its time had come.
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
        // An action that repeats itself asks its own `schedule`, past that of the scheduler.
        this.schedule = (later?: T, ms = 0) => again.schedule.call(this, later, ms / factor);
        work.call(this, next);
      };
      return asyncScheduler.schedule<T>(accelerated, delay / factor, state);
    },
  };
}

/** A clock that can be stepped, as an operator or NTP does it, over timers that go on. */
export function steppedClock(): SchedulerLike & { stepMs: number } {
  return {
    stepMs: 0,
    now() {
      return monotonicScheduler.now() + this.stepMs;
    },
    schedule: (...args: Parameters<SchedulerLike['schedule']>) => asyncScheduler.schedule(...args),
  };
}
