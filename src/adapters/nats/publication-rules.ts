import {
  debounceTime,
  distinctUntilChanged,
  groupBy,
  identity,
  mergeMap,
  type MonoTypeOperatorFunction,
  type SchedulerLike,
} from 'rxjs';
import type { ActiveLoad } from '../../core/events/fleet-event.js';

/** How long a worker waits for a newer value. */
const DEBOUNCE_MS = 1;

/**
 * Which of its loads a publisher sends, and when, as each release does it.
 *
 * A router sends each. A worker sends what differs from its value before, a millisecond after the last change: of 1.0
 * for all ranks together, so that one rank can take the place of another; of 1.6 for each rank by itself.
 */
export function selectPublications(
  as: 'worker' | 'router',
  release: '1.0' | '1.6',
  scheduler: SchedulerLike,
): MonoTypeOperatorFunction<ActiveLoad> {
  if (as === 'router') return identity;
  const settled: MonoTypeOperatorFunction<ActiveLoad> = (loads$) =>
    loads$.pipe(distinctUntilChanged(isSame), debounceTime(DEBOUNCE_MS, scheduler));
  if (release === '1.0') return settled;
  return (loads$) =>
    loads$.pipe(
      groupBy(({ dpRank }) => dpRank),
      mergeMap((rank$) => rank$.pipe(settled)),
    );
}

function isSame(one: ActiveLoad, two: ActiveLoad): boolean {
  return (
    one.dpRank === two.dpRank &&
    one.activeDecodeBlocks === two.activeDecodeBlocks &&
    one.kvUsedBlocks === two.kvUsedBlocks
  );
}
