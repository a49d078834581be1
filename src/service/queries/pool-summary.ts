import type { TimestampProvider } from 'rxjs';
import { wallTime } from '../../adapters/clock/wall-time.js';
import { type FleetCounts, type FleetState, fleetStateOf } from '../../core/judgement/fleet-state.js';
import { type LoadThresholds, pickThresholds } from '../../core/policy/load-thresholds.js';
import type { Transition } from '../../core/state/fleet-step.js';
import type { WorkerId } from '../../core/worker-id.js';
import { endpointText } from '../../wire/endpoint-names.js';
import type { Pool } from '../../fleet/pools/pools.js';

const MIN_SECONDS = 1;
const MAX_SECONDS = 60;
/** When to ask again while there are no workers, or nothing is known about them. */
export const NO_WORKERS_SECONDS = 5;
const NEWEST_WEIGHT = 0.2;

/** The wall-clock time of a time of a clock, such as that of a monitor, as ISO 8601 text. */
export function isoTime(clock: TimestampProvider, at: number): string {
  return wallTime(clock, at).toISOString();
}

/**
 * Estimates when a caller should ask a pool again.
 *
 * 1. `all-busy`: when the first worker is likely to become free. The estimate is the mean busy time of this pool's workers
 *    (a moving average in which the newest counts most) divided by the number of busy workers. It is 1 to 60 s, and 1 s
 *    until the first worker has become free.
 * 2. `none` and `unknown`: 5 s. `free` and `partial`: `null`, as no caller has to wait.
 */
export class RetryAfter {
  private readonly busySince = new Map<WorkerId, number>();
  private meanMs: number | null = null;

  /** Learns from a transition. A worker that left does not count. */
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
    const seconds = (this.meanMs ?? 0) / 1000 / Math.max(busyWorkers, 1);
    return Math.min(Math.max(Math.ceil(seconds), MIN_SECONDS), MAX_SECONDS);
  }
}

/** The state of a pool, as in every route and server-sent event. */
export interface PoolSummary {
  readonly model: string;
  /** `namespace.component.endpoint`. */
  readonly endpoint: string;
  readonly state: FleetState;
  /** When a caller should ask again; `null` if no caller has to wait. */
  readonly retryAfterSeconds: number | null;
  readonly workers: FleetCounts;
}

/** The name of a pool, as in all server-sent events about it. */
export type PoolLabel = Pick<PoolSummary, 'model' | 'endpoint'>;

/** The state of a pool with its thresholds and its busy workers. */
export interface PoolDescription extends PoolSummary {
  readonly thresholds: LoadThresholds | null;
  readonly busy: readonly WorkerId[];
}

const NO_WORKERS: FleetCounts = {
  workers: 0,
  busy: 0,
  free: 0,
  unknown: 0,
  known: 0,
  held: 0,
  overloadMarked: 0,
  instances: 0,
  down: 0,
};

/** The model and the endpoint of a pool. */
export function poolLabel({ name: { model, endpoint } }: Pool): PoolLabel {
  return { model, endpoint: endpointText(endpoint) };
}

/** Summarizes pools, and keeps a {@link RetryAfter} for each. */
export class PoolSummaries {
  private readonly hints = new WeakMap<Pool, RetryAfter>();

  retryAfterOf(pool: Pool): RetryAfter {
    const retryAfter = this.hints.get(pool) ?? new RetryAfter();
    this.hints.set(pool, retryAfter);
    return retryAfter;
  }

  summarize(pool: Pool): PoolSummary {
    const workers = pool.monitor.snapshot()?.fleet ?? NO_WORKERS;
    const state = fleetStateOf(workers);
    const retryAfterSeconds = this.retryAfterOf(pool).secondsFor(state, workers.busy);
    return { ...poolLabel(pool), state, retryAfterSeconds, workers };
  }

  /** The summary with thresholds and busy workers. */
  describe(pool: Pool): PoolDescription {
    const snapshot = pool.monitor.snapshot();
    return {
      ...this.summarize(pool),
      thresholds: snapshot === undefined ? null : pickThresholds(snapshot.thresholds),
      busy: [...(snapshot?.busy ?? [])],
    };
  }
}
