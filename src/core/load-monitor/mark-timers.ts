import type { SchedulerLike, Subscription } from 'rxjs';
import type { WorkerId } from '../worker-id.js';

/** Ends the request path's marks when their time is over; marking again arms the timer anew. */
export class MarkTimers {
  private readonly timers = new Map<WorkerId, Subscription>();

  constructor(
    private readonly maximumMs: number,
    private readonly scheduler: SchedulerLike,
    private readonly expire: (workerId: WorkerId) => void,
  ) {}

  arm(workerId: WorkerId): void {
    this.timers.get(workerId)?.unsubscribe();
    const timer = this.scheduler.schedule(() => {
      this.timers.delete(workerId);
      this.expire(workerId);
    }, this.maximumMs);
    this.timers.set(workerId, timer);
  }

  stop(): void {
    for (const timer of this.timers.values()) timer.unsubscribe();
    this.timers.clear();
  }
}
