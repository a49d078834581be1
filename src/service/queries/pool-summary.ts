import { type FleetCounts, type FleetState, fleetStateOf } from '../../core/judgement/fleet-state.js';
import type { LoadThresholds } from '../../core/policy/load-thresholds.js';
import type { Transition } from '../../core/state/fleet-step.js';
import type { WorkerId } from '../../core/worker-id.js';
import type { Pool } from '../pools/pools.js';

const MIN_SECONDS = 1;
const MAX_SECONDS = 60;
const NO_WORKERS_SECONDS = 5;
const NEWEST_WEIGHT = 0.2;

/**
 * When it is worth to ask a pool again.
 *
 * 1. `all-busy`: when the first of its workers is likely to be free: how long workers of this pool were busy so far, the
 *    newest counting most, divided by how many are; 1 to 60 s, and 1 s as long as none became free.
 * 2. `none` and `unknown`: 5 s. `free` and `partial`: nobody has to wait, `null`.
 */
export class RetryAfter {
  private readonly busySince = new Map<WorkerId, number>();
  private meanMs: number | null = null;

  /** Learns from a worker that became busy or free. One that left says nothing. */
  add({ workerId, busy, at, verdict }: Pick<Transition, 'workerId' | 'busy' | 'at' | 'verdict'>): void {
    const busySince = this.busySince.get(workerId);
    if (busy) this.busySince.set(workerId, at);
    else this.busySince.delete(workerId);
    if (busy || busySince === undefined || verdict.reason === 'left') return;
    const ms = at - busySince;
    this.meanMs = this.meanMs === null ? ms : this.meanMs + NEWEST_WEIGHT * (ms - this.meanMs);
  }

  secondsFor(state: FleetState, busyWorkers: number): number | null {
    if (state === 'free' || state === 'partial') return null;
    if (state !== 'all-busy') return NO_WORKERS_SECONDS;
    const likely = (this.meanMs ?? 0) / 1000 / Math.max(busyWorkers, 1);
    return Math.min(Math.max(Math.ceil(likely), MIN_SECONDS), MAX_SECONDS);
  }
}

/** How a pool stands, as every route and event tells it. */
export interface PoolSummary {
  readonly model: string;
  /** `namespace.component.endpoint`. */
  readonly endpoint: string;
  readonly state: FleetState;
  /** When it is worth to ask again; `null` when nobody has to wait. */
  readonly retryAfterSeconds: number | null;
  readonly workers: FleetCounts;
}

/** The pool of a view, in all events about it. */
export type PoolLabel = Pick<PoolSummary, 'model' | 'endpoint'>;

const NO_WORKERS: FleetCounts = { known: 0, held: 0, busy: 0, overloadMarked: 0, instances: 0, down: 0 };

export function poolLabel({ name: { model, endpoint } }: Pool): PoolLabel {
  return { model, endpoint: `${endpoint.namespace}.${endpoint.component}.${endpoint.endpoint}` };
}

/** The pools as they are told, with what was learned of each on the way. */
export class PoolSummaries {
  private readonly hints = new WeakMap<Pool, RetryAfter>();

  retryAfterOf(pool: Pool): RetryAfter {
    const known = this.hints.get(pool) ?? new RetryAfter();
    this.hints.set(pool, known);
    return known;
  }

  summarize(pool: Pool): PoolSummary {
    const workers = pool.monitor.snapshot()?.fleet ?? NO_WORKERS;
    const state = fleetStateOf(workers);
    const retryAfterSeconds = this.retryAfterOf(pool).secondsFor(state, workers.busy);
    return { ...poolLabel(pool), state, retryAfterSeconds, workers };
  }

  /** The same with who is busy, and above which marks. */
  describe(
    pool: Pool,
  ): PoolSummary & { readonly marks: LoadThresholds | null; readonly busy: readonly WorkerId[] } {
    const snapshot = pool.monitor.snapshot();
    return {
      ...this.summarize(pool),
      marks: pickThresholds(snapshot?.thresholds),
      busy: [...(snapshot?.busy ?? [])],
    };
  }
}

/** The marks alone. */
export function pickThresholds(thresholds: LoadThresholds | undefined): LoadThresholds | null {
  if (thresholds === undefined) return null;
  const { activeDecodeBlocksThreshold, activePrefillTokensThreshold, activePrefillTokensThresholdFrac } =
    thresholds;
  return { activeDecodeBlocksThreshold, activePrefillTokensThreshold, activePrefillTokensThresholdFrac };
}
