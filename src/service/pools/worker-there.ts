import type { FleetRanks } from '../../core/fleet-ranks.js';
import type { WorkerId } from '../../core/worker-id.js';

/** A worker in short: what can be read of all of them at once. */
export interface WorkerThere {
  readonly workerId: WorkerId;
  readonly busy: boolean;
  /** Whether the request path marked it. */
  readonly marked: boolean;
  /** Since when it is busy, in milliseconds of the clock that drives the monitor; `null` when it is free. */
  readonly since: number | null;
  readonly reportedRanks: number;
}

/** The worker at a number that has one. */
export function workerThere(ranks: FleetRanks, worker: number): WorkerThere {
  const busy = ranks.isBusy(worker);
  return {
    workerId: ranks.workerId(worker),
    busy,
    marked: ranks.isMarked(worker),
    since: busy ? ranks.busySince(worker) : null,
    reportedRanks: ranks.rankCount(worker),
  };
}
