import { mergeMap, type OperatorFunction } from 'rxjs';
import type { DiscoveryDifference } from '../../wire/discovery-difference.js';
import type { DiscoveryFold } from '../../wire/discovery-fold.js';

/** One batch that a fold has taken. */
export interface FoldStep {
  /** What is known after it. */
  readonly fold: DiscoveryFold;
  /** What it changed. */
  readonly difference: DiscoveryDifference;
  /** Its changes belong together, and nobody may see a part of them. */
  readonly atOnce: boolean;
}

/**
 * One side of what discovery knows: the whole of it for the first step, then what each step changed.
 *
 * A step that changed one thing gives that; one that changed several gives each of them in turn, or, when they
 * belong together, the whole again. A step that changed nothing gives nothing.
 */
export function wholeThenChanges<T>(
  whole: (fold: DiscoveryFold) => T,
  changes: (difference: DiscoveryDifference) => readonly T[],
): OperatorFunction<FoldStep, T> {
  return mergeMap(({ fold, difference, atOnce }, index) => {
    if (index === 0) return [whole(fold)];
    const changed = changes(difference);
    return atOnce && changed.length > 1 ? [whole(fold)] : changed;
  });
}
