import type { SchedulerLike, Subscription } from 'rxjs';
import type { WorkerId } from '../worker-id.js';

/** Ends overload marks when their time is over. Marking a worker again restarts its timer. */
export class OverloadMarkTimers {
  private readonly timers = new Map<WorkerId, Subscription>();
  private readonly maximumMs: number | null;

  /** @param expire called when the time of a mark is over; never, if the policy sets no limit */
  constructor(
    { overloadMarks }: { readonly overloadMarks: 'ignored' | { readonly maximumMs: number | null } },
    private readonly scheduler: SchedulerLike,
    private readonly expire: (workerId: WorkerId) => void,
  ) {
    this.maximumMs = overloadMarks === 'ignored' ? null : overloadMarks.maximumMs;
  }

  arm(workerId: WorkerId): void {
    if (this.maximumMs === null) return;
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
