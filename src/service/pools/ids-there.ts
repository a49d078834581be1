import type { LoadMonitor } from '../../core/load-monitor/load-monitor.js';
import type { WorkerId } from '../../core/worker-id.js';

/** The workers that are there now, in no order. */
export function idsThere(monitor: LoadMonitor): WorkerId[] {
  const ranks = monitor.ranks();
  const ids: WorkerId[] = [];
  for (let worker = 0; worker < (ranks?.end ?? 0); worker += 1) {
    if (ranks?.isThere(worker) === true) ids.push(ranks.workerId(worker));
  }
  return ids;
}
