import type { TimestampProvider } from 'rxjs';
import { wallTime } from '../../adapters/clock/wall-time.js';
import { type FleetCounts, type FleetState, fleetStateOf } from '../../core/judgement/fleet-state.js';
import type { WorkerState } from '../../core/judgement/worker-state.js';
import { type LoadThresholds, pickThresholds } from '../../core/policy/load-thresholds.js';
import type { Role } from '../../core/events/fleet-event.js';
import type { Transition } from '../../core/state/fleet-step.js';
import type { WorkerId } from '../../core/worker-id.js';
import { endpointText } from '../../wire/endpoint-names.js';
import type { Pool } from '../../fleet/pools/pools.js';
import type { PoolPart } from './models.js';

const MIN_SECONDS = 1;
const MAX_SECONDS = 60;
/** When to ask again while there are no workers. */
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
 * 2. `none`: 5 s. Otherwise `null`, as no caller has to wait: workers of which nothing is known may be asked, too.
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
    if (state === 'none') return NO_WORKERS_SECONDS;
    if (state !== 'all-busy') return null;
    const seconds = (this.meanMs ?? 0) / 1000 / Math.max(busyWorkers, 1);
    return Math.min(Math.max(Math.ceil(seconds), MIN_SECONDS), MAX_SECONDS);
  }
}

/** The state of a pool, as in every route and server-sent event. */
export interface PoolSummary {
  readonly model: string;
  /** `decode` also for aggregated workers. */
  readonly role: Role;
  /** `namespace.component.endpoint`. */
  readonly endpoint: string;
  readonly state: FleetState;
  /** When a caller should ask again; `null` if no caller has to wait. */
  readonly retryAfterSeconds: number | null;
  readonly workers: FleetCounts;
}

/** The name of a pool, as in all server-sent events about it. Several pools may have the same worker ids. */
export type PoolLabel = Pick<PoolSummary, 'model' | 'role' | 'endpoint'>;

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

/** Some workers of a pool in numbers. */
function countsOf({ monitor }: Pool, workerIds: ReadonlySet<WorkerId>): FleetCounts {
  const states = [...workerIds].flatMap((workerId) => monitor.stateOf(workerId) ?? []);
  const count = (wanted: WorkerState): number => states.filter((state) => state === wanted).length;
  const workers = states.length;
  const numbers = { workers, busy: count('busy'), free: count('free'), unknown: count('unknown') };
  return { ...NO_WORKERS, ...numbers, known: workers, instances: workers };
}

/** The sums of counts. */
export function sumCounts(counts: readonly FleetCounts[]): FleetCounts {
  const names = Object.keys(NO_WORKERS) as (keyof FleetCounts)[];
  const sum = (name: keyof FleetCounts): number => counts.reduce((total, count) => total + count[name], 0);
  return Object.fromEntries(names.map((name) => [name, sum(name)])) as Record<keyof FleetCounts, number>;
}

/** The model, the role and the endpoint of a pool. */
export function poolLabel({ name: { model, role = 'decode', endpoint } }: Pool): PoolLabel {
  return { model, role, endpoint: endpointText(endpoint) };
}

/** Summarizes pools, and keeps a {@link RetryAfter} for each. */
export class PoolSummaries {
  private readonly hints = new WeakMap<Pool, RetryAfter>();

  retryAfterOf(pool: Pool): RetryAfter {
    const retryAfter = this.hints.get(pool) ?? new RetryAfter();
    this.hints.set(pool, retryAfter);
    return retryAfter;
  }

  summarize({ pool, model, carriers }: PoolPart): PoolSummary {
    const workers =
      carriers === null ? (pool.monitor.snapshot()?.fleet ?? NO_WORKERS) : countsOf(pool, carriers);
    const state = fleetStateOf(workers);
    const retryAfterSeconds = this.retryAfterOf(pool).secondsFor(state, workers.busy);
    return { ...poolLabel(pool), model, state, retryAfterSeconds, workers };
  }

  /** The summary with thresholds and busy workers. */
  describe(part: PoolPart): PoolDescription {
    const { pool, carriers } = part;
    const snapshot = pool.monitor.snapshot();
    const busy = [...(snapshot?.busy ?? [])];
    return {
      ...this.summarize(part),
      thresholds: snapshot === undefined ? null : pickThresholds(snapshot.thresholds),
      busy: carriers === null ? busy : busy.filter((workerId) => carriers.has(workerId)),
    };
  }
}
