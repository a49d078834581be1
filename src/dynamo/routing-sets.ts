import type { InstanceChange } from '../core/pipeline/monitor-sources.js';
import { type WorkerId, compareWorkerIds } from '../core/worker-id.js';
import type { ClientPolicy } from './client-policy.js';

/** How many workers are in each of the sets that a router chooses from. */
export interface RoutingCounts {
  readonly discovered: number;
  readonly routable: number;
  readonly overloaded: number;
  readonly free: number;
}

/** The sets that a router chooses from, at one moment. Immutable; every set is in ascending order of ids. */
export interface RoutingSnapshot {
  /** Whom discovery names. */
  readonly discovered: ReadonlySet<WorkerId>;
  /** Of these, who was not reported down. */
  readonly available: ReadonlySet<WorkerId>;
  /** Who is above the marks or was marked by the request path. May hold workers that are not discovered. */
  readonly overloaded: ReadonlySet<WorkerId>;
  /** Who may be given a request. */
  readonly free: ReadonlySet<WorkerId>;
  readonly counts: RoutingCounts;
  /** Whether discovery has named anybody yet. Before it, an empty `available` says nothing. */
  readonly initialized: boolean;
}

type Ids = ReadonlySet<WorkerId>;
const NO_IDS: Ids = new Set();

/**
 * The state of an instance client: who is discovered, who of them is down, who is overloaded and by whom. Time is an
 * argument; a mark whose deadline has come does not count any more, whether or not anybody has removed it.
 *
 * What it hands out stays as it is. A set with the same members as before is the same object.
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

  /** The discovered workers change; then, as with no change, everybody who is there is routable again. */
  reconcile(change?: InstanceChange): { readonly restored: readonly WorkerId[] } {
    const gone = change === undefined ? [] : this.discover(change);
    const restored = [...this.down].filter((id) => this.discovered.has(id));
    this.down.clear();
    if (this.policy.overloadedUntil === 'reconcile') this.forget(this.published);
    else this.forget(gone);
    if (this.discovered.size > 0) this.initialized = true;
    return { restored };
  }

  /** Takes a worker out of the routable ones until the next reconcile. Whether it was one of them. */
  reportDown(id: WorkerId): boolean {
    if (!this.discovered.has(id) || this.down.has(id)) return false;
    this.down.add(id);
    return true;
  }

  /** The request path marks a worker, or marks it again. Whether the policy knows marks. */
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

  /** Replaces what the monitor said and ends all marks. Whether other workers are overloaded than before. */
  setOverloaded(ids: Iterable<WorkerId>, now: number): boolean {
    const before = this.overloaded(now);
    this.published = new Set(ids);
    this.overloadMarkDeadlines.clear();
    this.hasOverloadMarkSincePublication = false;
    return !isSame(before, this.overloaded(now));
  }

  /** Forgets what was said of workers, by whomever. */
  forget(ids: Iterable<WorkerId>): void {
    const gone = new Set(ids);
    if (gone.size === 0) return;
    this.published = without(this.published, gone);
    for (const id of gone) this.overloadMarkDeadlines.delete(id);
  }

  /** Whether a mark waits for a publication. */
  isReconciliationNeeded(now: number): boolean {
    if (this.policy.reconciliationNeeded === 'since-a-mark') return this.hasOverloadMarkSincePublication;
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

  /** Changes who is discovered, and says who is not any more. */
  private discover(change: InstanceChange): WorkerId[] {
    const { discovered } = this;
    this.sorted = undefined;
    if ('workerId' in change) {
      if (change.present) discovered.add(change.workerId);
      else if (discovered.delete(change.workerId)) return [change.workerId];
      return [];
    }
    const now = new Set(change);
    const gone = [...discovered].filter((id) => !now.has(id));
    discovered.clear();
    for (const id of now) discovered.add(id);
    return gone;
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
  return { discovered, available, overloaded, free, counts, initialized };
}

/** The set before, where the present one has the same members. */
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
