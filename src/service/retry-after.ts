import type { FleetState } from '../core/fleet-state.js';
import type { Transition } from '../core/transition.js';
import type { WorkerId } from '../core/worker-id.js';

const SHORTEST = 1;
const LONGEST = 60;
const WITHOUT_WORKERS = 5;
const WEIGHT_OF_THE_NEWEST = 0.2;

/**
 * When it is worth to ask a pool again.
 *
 * 1. `all-busy`: when the first of its workers is likely to be free: how long workers of this pool were busy so far, the
 *    newest counting most, divided by how many are; 1 to 60 s, and 1 s as long as none became free.
 * 2. `none` and `unknown`: 5 s. `free` and `partial`: nobody has to wait, `null`.
 */
export class RetryAfter {
  private readonly since = new Map<WorkerId, number>();
  private meanMs: number | null = null;

  /** Learns from a worker that became busy or free. One that left says nothing. */
  note({ workerId, busy, at, verdict }: Pick<Transition, 'workerId' | 'busy' | 'at' | 'verdict'>): void {
    const since = this.since.get(workerId);
    if (busy) this.since.set(workerId, at);
    else this.since.delete(workerId);
    if (busy || since === undefined || verdict.reason === 'left') return;
    const ms = at - since;
    this.meanMs = this.meanMs === null ? ms : this.meanMs + WEIGHT_OF_THE_NEWEST * (ms - this.meanMs);
  }

  seconds(state: FleetState, busyWorkers: number): number | null {
    if (state === 'free' || state === 'partial') return null;
    if (state !== 'all-busy') return WITHOUT_WORKERS;
    const likely = (this.meanMs ?? 0) / 1000 / Math.max(busyWorkers, 1);
    return Math.min(Math.max(Math.ceil(likely), SHORTEST), LONGEST);
  }
}
