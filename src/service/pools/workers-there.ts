import type { LoadMonitor } from '../../core/load-monitor/load-monitor.js';
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

/** The workers that are there now, in no order. */
export function workersThere(monitor: LoadMonitor): WorkerThere[] {
  const ranks = monitor.ranks();
  if (ranks === undefined) return [];
  const there: WorkerThere[] = [];
  for (let worker = 0; worker < ranks.end; worker += 1) {
    if (!ranks.isThere(worker)) continue;
    const busy = ranks.isBusy(worker);
    there.push({
      workerId: ranks.workerId(worker),
      busy,
      marked: ranks.isMarked(worker),
      since: busy ? ranks.busySince(worker) : null,
      reportedRanks: ranks.rankCount(worker),
    });
  }
  return there;
}
