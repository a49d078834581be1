import { ignoreElements, tap, type MonoTypeOperatorFunction, type OperatorFunction } from 'rxjs';
import type { InstanceChange } from '../core/load-monitor/monitor-sources.js';
import type { WorkerId } from '../core/worker-id.js';
import type { LiveReport } from './live-report.js';

const MOST_NAMES = 5;

/** Tells who comes and goes: all that are there at first in one line, then each change. */
export function workerNews(report: LiveReport): OperatorFunction<InstanceChange, never> {
  let known: Set<WorkerId> | null = null;
  const tell = (came: readonly WorkerId[], left: readonly WorkerId[], total: number): void => {
    const parts = [
      ...(came.length > 0 ? [`${names(came)} came`] : []),
      ...(left.length > 0 ? [`${names(left)} left`] : []),
      `${total} ${total === 1 ? 'worker is' : 'workers are'} there`,
    ];
    report.event('workers', parts.join('; '), { came, left, total });
  };
  const heard: MonoTypeOperatorFunction<InstanceChange> = tap((change) => {
    if ('workerId' in change) {
      const { workerId, present } = change;
      known ??= new Set();
      if (known.has(workerId) === present) return;
      if (present) known.add(workerId);
      else known.delete(workerId);
      tell(present ? [workerId] : [], present ? [] : [workerId], known.size);
      return;
    }
    const before = known;
    const next = (known = new Set(change));
    const came = [...next].filter((id) => before?.has(id) !== true);
    const left = [...(before ?? [])].filter((id) => !next.has(id));
    if (before === null || came.length + left.length > 0) tell(came, left, next.size);
  });
  return (changes$) => changes$.pipe(heard, ignoreElements());
}

function names(ids: readonly WorkerId[]): string {
  if (ids.length > MOST_NAMES) return `${ids.length} workers`;
  return `${ids.length === 1 ? 'worker' : 'workers'} ${ids.join(', ')}`;
}
