import {
  debounce,
  distinctUntilChanged,
  groupBy,
  identity,
  mergeMap,
  timer,
  type MonoTypeOperatorFunction,
  type SchedulerLike,
} from 'rxjs';
import type { ActiveLoad } from '../../core/events/fleet-event.js';

/** How long a worker waits for a newer load. */
const DEBOUNCE_MS = 1;

/**
 * Selects the loads that a publisher of a release sends, and when.
 *
 * A router sends every load. A worker sends changed loads, debounced by a millisecond: in 1.0 over all ranks together, so
 * that the load of one rank can replace that of another, and in 1.6 for each rank separately. Dynamo's own workers send
 * no prefill tokens; where they are given, they count like the other values.
 */
export function selectPublications(
  as: 'worker' | 'router',
  release: '1.0' | '1.6',
  scheduler: SchedulerLike,
): MonoTypeOperatorFunction<ActiveLoad> {
  if (as === 'router') return identity;
  // Not `debounceTime`, which reads the clock and waits an hour longer when the wall clock is set back by an hour.
  const settled: MonoTypeOperatorFunction<ActiveLoad> = (loads$) =>
    loads$.pipe(
      distinctUntilChanged(isSame),
      debounce(() => timer(DEBOUNCE_MS, scheduler)),
    );
  if (release === '1.0') return settled;
  return (loads$) =>
    loads$.pipe(
      groupBy(({ dpRank }) => dpRank),
      mergeMap((rank$) => rank$.pipe(settled)),
    );
}

function isSame(a: ActiveLoad, b: ActiveLoad): boolean {
  return (
    a.dpRank === b.dpRank &&
    a.activeDecodeBlocks === b.activeDecodeBlocks &&
    a.activePrefillTokens === b.activePrefillTokens &&
    a.kvUsedBlocks === b.kvUsedBlocks
  );
}
