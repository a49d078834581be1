import type { InstanceChange } from '../core/pipeline/monitor-sources.js';
import { jsonReady } from '../core/ordinary-value.js';
import { type WorkerId, compareWorkerIds } from '../core/worker-id.js';
import type { ClientPolicy } from './client-policy.js';

/** How many workers are in each of the sets that a router chooses from. */
export interface RoutingCounts {
  readonly discovered: number;
  readonly routable: number;
  readonly overloaded: number;
  readonly free: number;
}

/** The sets that a router chooses from, at one moment. Immutable. Every set is in ascending order of ids, and an array in JSON. */
export interface RoutingSnapshot {
  /** The workers that discovery knows. */
  readonly discovered: ReadonlySet<WorkerId>;
  /** The discovered workers that were not reported down. */
  readonly available: ReadonlySet<WorkerId>;
  /** Workers above a threshold or with an overload mark. May contain workers that are not discovered. */
  readonly overloaded: ReadonlySet<WorkerId>;
  /** The workers that may receive requests. */
  readonly free: ReadonlySet<WorkerId>;
  readonly counts: RoutingCounts;
  /** Whether discovery has found a worker yet. Before that, an empty `available` has no meaning. */
  readonly initialized: boolean;
}

type Ids = ReadonlySet<WorkerId>;
const NO_IDS: Ids = new Set();

/**
 * The state of an instance client: discovered workers, workers reported down, overloaded workers and overload marks. Time is
 * an argument. An expired overload mark does not count, even before it is removed.
 *
 * Snapshots are immutable. A set with the same members as before is the same object.
 */
export class RoutingSets {
  private readonly discovered = new Set<WorkerId>();
  private readonly down = new Set<WorkerId>();
  private published: Ids = NO_IDS;
  private readonly overloadMarkDeadlines = new Map<WorkerId, number>();
  private hasOverloadMarkSincePublication = false;
  private initialized = false;
  private sorted: Ids | undefined = NO_IDS;
  private last: RoutingSnapshot = snapshotOf(NO_IDS, NO_IDS, NO_IDS, NO_IDS, false);

  constructor(private readonly policy: ClientPolicy) {}

  /** Applies a change of the discovered workers, if any, and makes all workers that were reported down routable again. */
  reconcile(change?: InstanceChange): { readonly restored: readonly WorkerId[] } {
    const removed = change === undefined ? [] : this.discover(change);
    const restored = [...this.down].filter((id) => this.discovered.has(id));
    this.down.clear();
    if (this.policy.overloadedUntil === 'reconcile') this.forget(this.published);
    else this.forget(removed);
    if (this.discovered.size > 0) this.initialized = true;
    return { restored };
  }

  /** Makes a worker unavailable until the next reconcile. Returns whether it was routable. */
  reportDown(id: WorkerId): boolean {
    if (!this.discovered.has(id) || this.down.has(id)) return false;
    this.down.add(id);
    return true;
  }

  /** Sets or renews the overload mark of a worker. Returns whether the policy has overload marks. */
  markOverloaded(id: WorkerId, now: number): boolean {
    const { overloadMarks } = this.policy;
    if (overloadMarks === 'ignored') return false;
    this.overloadMarkDeadlines.set(
      id,
      overloadMarks.maximumMs === null ? Infinity : now + overloadMarks.maximumMs,
    );
    this.hasOverloadMarkSincePublication = true;
    return true;
  }

  /** Replaces the published workers and ends all overload marks. Returns whether the overloaded workers changed. */
  setOverloaded(ids: Iterable<WorkerId>, now: number): boolean {
    const before = this.overloaded(now);
    this.published = new Set(ids);
    this.overloadMarkDeadlines.clear();
    this.hasOverloadMarkSincePublication = false;
    return !isSame(before, this.overloaded(now));
  }

  /** Ends the overload of workers, whether published or marked. */
  forget(ids: Iterable<WorkerId>): void {
    const forgotten = new Set(ids);
    if (forgotten.size === 0) return;
    this.published = without(this.published, forgotten);
    for (const id of forgotten) this.overloadMarkDeadlines.delete(id);
  }

  /** Whether an overload mark is waiting for a publication. */
  isReconciliationNeeded(now: number): boolean {
    if (this.policy.reconciliationNeeded === 'since-an-overload-mark')
      return this.hasOverloadMarkSincePublication;
    return this.overloadMarkedAt(now).length > 0;
  }

  snapshot(now: number): RoutingSnapshot {
    const { last, down } = this;
    this.sorted ??= sortIds(this.discovered);
    const discovered = keepIfSame(last.discovered, this.sorted);
    const available = keepIfSame(last.available, without(discovered, down));
    const overloaded = keepIfSame(last.overloaded, sortIds(this.overloaded(now)));
    const candidates = this.policy.freeAmong === 'discovered' ? discovered : available;
    const free = keepIfSame(last.free, without(candidates, overloaded));
    const { initialized } = this;
    const unchanged =
      discovered === last.discovered &&
      available === last.available &&
      overloaded === last.overloaded &&
      free === last.free &&
      initialized === last.initialized;
    if (!unchanged) this.last = snapshotOf(discovered, available, overloaded, free, initialized);
    return this.last;
  }

  /** Changes the discovered workers, and returns the removed ones. */
  private discover(change: InstanceChange): WorkerId[] {
    const { discovered } = this;
    this.sorted = undefined;
    if ('workerId' in change) {
      if (change.present) discovered.add(change.workerId);
      else if (discovered.delete(change.workerId)) return [change.workerId];
      return [];
    }
    const next = new Set(change);
    const removed = [...discovered].filter((id) => !next.has(id));
    discovered.clear();
    for (const id of next) discovered.add(id);
    return removed;
  }

  private overloaded(now: number): Ids {
    const marked = this.overloadMarkedAt(now);
    return marked.length === 0 ? this.published : new Set([...this.published, ...marked]);
  }

  private overloadMarkedAt(now: number): WorkerId[] {
    return [...this.overloadMarkDeadlines].flatMap(([id, deadline]) => (deadline > now ? [id] : []));
  }
}

function snapshotOf(
  discovered: Ids,
  available: Ids,
  overloaded: Ids,
  free: Ids,
  initialized: boolean,
): RoutingSnapshot {
  const counts = {
    discovered: discovered.size,
    routable: available.size,
    overloaded: overloaded.size,
    free: free.size,
  };
  for (const ids of [discovered, available, overloaded, free]) jsonReady(ids);
  return { discovered, available, overloaded, free, counts, initialized };
}

/** Returns the previous set if it has the same members. */
function keepIfSame(before: Ids, now: Ids): Ids {
  return isSame(before, now) ? before : now;
}

function isSame(a: Ids, b: Ids): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const id of a) if (!b.has(id)) return false;
  return true;
}

function sortIds(ids: Ids): Ids {
  return ids.size < 2 ? new Set(ids) : new Set([...ids].sort(compareWorkerIds));
}

function without(ids: Ids, others: Ids): Ids {
  return others.size === 0 ? ids : new Set([...ids].filter((id) => !others.has(id)));
}
