import { Subject, Subscription, type SchedulerLike } from 'rxjs';
import type { PoolSources } from '../../adapters/etcd/discovery-of.js';
import type { ActiveLoad } from '../../core/active-load.js';
import type { LoadBatch } from '../../core/load-batch.js';
import { loadMonitor, type LoadMonitor } from '../../core/load-monitor/load-monitor.js';
import type { LoadPolicy } from '../../core/load-policy.js';
import type { LoadThresholdUpdate } from '../../core/load-thresholds.js';
import type { PoolName } from '../../core/pool-name.js';
import type { WorkerId } from '../../core/worker-id.js';
import type { LoadRouter } from './load-router.js';
import type { Pool } from './pool.js';

/** How all pools of a fleet are judged. */
export interface PoolRules {
  readonly policy: LoadPolicy;
  /** The marks that a pool begins with. */
  readonly marks: LoadThresholdUpdate;
  readonly scheduler: SchedulerLike;
}

/** One pool of a fleet: a monitor on its cards and instances, and on those loads that are of its members. */
export class FleetPool implements Pool {
  readonly monitor: LoadMonitor;
  private readonly members = new Set<WorkerId>();
  private readonly marks$ = new Subject<LoadThresholdUpdate>();
  private readonly loads$ = new Subject<ActiveLoad | LoadBatch>();

  constructor(
    readonly name: PoolName,
    private readonly sources: PoolSources,
    private readonly router: LoadRouter,
    { policy, marks, scheduler }: PoolRules,
  ) {
    const { configs$, instances$ } = sources;
    this.monitor = loadMonitor(
      { configs: configs$, decodeInstances: instances$, loads: this.loads$, thresholds: this.marks$ },
      { policy, scheduler, start: { thresholds: marks } },
    );
  }

  setMarks(change: LoadThresholdUpdate): void {
    this.marks$.next(change);
  }

  /** Judges until the subscription is ended. */
  run(): Subscription {
    // The monitor hears of a worker before its loads come, as it subscribes first.
    const subscription = new Subscription();
    subscription.add(this.monitor.connect());
    subscription.add(
      this.sources.configs$.subscribe({
        next: (change) => {
          if ('workerId' in change) return this.put(change.workerId, change.config !== null);
          for (const workerId of [...this.members]) if (!change.has(workerId)) this.put(workerId, false);
          for (const workerId of change.keys()) this.put(workerId, true);
        },
        // The monitor tells it; who was a member stays one.
        error: () => undefined,
      }),
    );
    subscription.add(() => {
      for (const workerId of [...this.members]) this.put(workerId, false);
    });
    return subscription;
  }

  private put(workerId: WorkerId, present: boolean): void {
    if (this.members.has(workerId) === present) return;
    if (present) {
      this.members.add(workerId);
      this.router.join(workerId, this.loads$);
    } else {
      this.members.delete(workerId);
      this.router.leave(workerId, this.loads$);
    }
  }
}
