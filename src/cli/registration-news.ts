import type { RegistrationStatus } from '../adapters/etcd/registration-status.js';
import type { WorkerId } from '../core/worker-id.js';
import type { LiveReport } from './live-report.js';

/** Tells of many registrations what matters: who came and left, and, once for all, why others cannot. */
export class RegistrationNews {
  private readonly registered = new Set<WorkerId>();
  private readonly failing = new Set<object>();

  constructor(private readonly report: LiveReport) {}

  /** Takes what one worker, of which `worker` is any token, says. */
  take(worker: object, { state, workerId, since, why, retryInMs }: RegistrationStatus): void {
    if (state === 'registered' || state === 'ended') this.failing.delete(worker);
    else if (why !== undefined) {
      this.failing.add(worker);
      const retry = retryInMs === undefined ? {} : { retryInMs };
      this.report.health({ source: 'registration (etcd)', state: 'down', since, why, ...retry });
    }
    if (state === 'registered' && this.failing.size === 0)
      this.report.health({ source: 'registration (etcd)', state: 'live', since });
    if (workerId === null) return;
    const { registered } = this;
    if (state === 'registered' && !registered.has(workerId)) {
      registered.add(workerId);
      this.tell(workerId, 'registered');
    } else if (state === 'ended') {
      registered.delete(workerId);
      this.tell(workerId, 'left');
    }
  }

  private tell(workerId: WorkerId, change: 'registered' | 'left'): void {
    const { size } = this.registered;
    this.report.event('worker', `worker ${workerId} ${change}; ${size} registered`, {
      workerId,
      change,
      registered: size,
    });
  }
}
