import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { monotonicScheduler } from '../../src/adapters/clock/monotonic-scheduler.js';

/** A clock that can be stepped until it is restored. */
export type SteppedClock = SchedulerLike & { stepMs: number; restore: () => void };

/** A scheduler whose clock can be stepped. The wall clock is stepped too, because gRPC uses it for deadlines. */
export function steppedClock(): SteppedClock {
  const wallClock = Date.now;
  const clock = {
    stepMs: 0,
    now: () => monotonicScheduler.now() + clock.stepMs,
    schedule: (...args: Parameters<SchedulerLike['schedule']>) => asyncScheduler.schedule(...args),
    restore: () => void (Date.now = wallClock),
  };
  Date.now = () => wallClock() + clock.stepMs;
  return clock;
}
