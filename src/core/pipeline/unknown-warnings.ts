import {
  type OperatorFunction,
  type SchedulerLike,
  auditTime,
  connect,
  distinctUntilChanged,
  map,
  mergeMap,
  of,
  pipe,
  startWith,
  switchMap,
} from 'rxjs';
import type { FleetEvent } from '../events/fleet-event.js';
import type { FleetCounts } from '../judgement/fleet-state.js';
import type { UnknownReason } from '../judgement/worker-state.js';
import { fleetProblems } from '../state/fleet-problems.js';
import type { FleetRanks } from '../state/fleet-ranks.js';

/** How long workers may be unknown before that is a problem: a fleet that starts needs time to be heard. */
const UNKNOWN_MS = 10_000;

/**
 * Turns the counts of a pool into problems about its unknown workers, one for each reason.
 *
 * 1. While workers are unknown, it looks at them when their number has changed, 10 s later and at most once in 10 s.
 * 2. A reason is reported once, until no worker is unknown for it.
 */
export function unknownWarnings(
  ranks: () => FleetRanks | undefined,
  scheduler: SchedulerLike,
): OperatorFunction<FleetCounts, FleetEvent> {
  const reported = new Set<UnknownReason>();
  return pipe(
    // First, because the counts change with every worker that becomes busy or free.
    map(({ unknown }) => unknown),
    distinctUntilChanged(),
    // No timer runs while no worker is unknown, so that it does not keep a process alive.
    connect((unknown$) =>
      unknown$.pipe(
        map((unknown) => unknown > 0),
        distinctUntilChanged(),
        switchMap((hasUnknown) =>
          hasUnknown ? unknown$.pipe(startWith(null), auditTime(UNKNOWN_MS, scheduler)) : of(null),
        ),
      ),
    ),
    mergeMap(() => {
      const found: FleetRanks['unknown'] = ranks()?.unknown ?? new Map<never, never>();
      for (const reason of reported) if (!found.has(reason)) reported.delete(reason);
      const fresh = [...found].filter(([reason]) => !reported.has(reason));
      for (const [reason] of fresh) reported.add(reason);
      return fresh.map(([reason, { count, workerId }]): FleetEvent => ({
        kind: 'problem',
        problem: fleetProblems.unknownWorkers(reason, workerId, count),
      }));
    }),
  );
}
