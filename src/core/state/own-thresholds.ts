import type { LoadThresholdConfig } from '../policy/load-threshold-config.js';
import type { LoadThresholdUpdate } from '../policy/load-thresholds.js';
import type { WorkerId } from '../worker-id.js';
import { type LimitClasses, POOL_GROUP } from './limit-classes.js';

/** How many workers may have thresholds of their own. */
export const MAX_WORKERS_WITH_THRESHOLDS = 10_000;

interface OwnThreshold {
  readonly given: LoadThresholdUpdate;
  /** The given thresholds, and those of the pool that are not given. */
  inForce: LoadThresholdConfig;
  /** The group of its limit classes. */
  readonly group: number;
}

/**
 * The workers with thresholds of their own, whether they are present or not.
 *
 * Each has a group of limit classes. Groups are used again, so that the number of classes is bounded.
 */
export class OwnThresholds {
  private readonly byWorker = new Map<WorkerId, OwnThreshold>();
  private readonly freeGroups: number[] = [];

  constructor(private readonly classes: LimitClasses) {}

  /** The number of workers with thresholds of their own. */
  get size(): number {
    return this.byWorker.size;
  }

  /** The group of the limit classes of a worker. */
  groupOf(id: WorkerId): number {
    return this.byWorker.get(id)?.group ?? POOL_GROUP;
  }

  /** The thresholds in force for a worker; `undefined`: those of the pool. */
  of(id: WorkerId): LoadThresholdConfig | undefined {
    return this.byWorker.get(id)?.inForce;
  }

  /** The thresholds in force for each worker with thresholds of its own. */
  copy(): ReadonlyMap<WorkerId, LoadThresholdConfig> {
    return new Map(Array.from(this.byWorker, ([id, { inForce }]) => [id, inForce]));
  }

  /** Gives a worker thresholds of its own instead of those that it had. */
  set(id: WorkerId, given: LoadThresholdUpdate, pool: LoadThresholdConfig): void {
    const inForce = pool.update(given, true);
    const group = this.byWorker.get(id)?.group ?? this.freeGroups.pop() ?? this.classes.addGroup(inForce);
    this.classes.setThresholds(inForce, group);
    this.byWorker.set(id, { given, inForce, group });
  }

  /** Removes the thresholds of a worker, whose ranks must then leave their limit classes. */
  remove(id: WorkerId): void {
    const own = this.byWorker.get(id);
    if (own === undefined) return;
    this.byWorker.delete(id);
    this.freeGroups.push(own.group);
  }

  /** Applies other thresholds of the pool. */
  renew(pool: LoadThresholdConfig): void {
    for (const own of this.byWorker.values()) {
      own.inForce = pool.update(own.given, true);
      this.classes.setThresholds(own.inForce, own.group);
    }
  }
}
