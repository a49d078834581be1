import type { WorkerId } from '../core/worker-id.js';

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
