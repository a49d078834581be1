import { filter, identity, map, pairwise, startWith, type OperatorFunction } from 'rxjs';

/** The difference between a set and the one before. */
export interface SetDifference<T> {
  /** Items whose key is new, in the order of the current set. */
  readonly added: readonly T[];
  /** Items whose key was removed, from the set before and in its order. */
  readonly removed: readonly T[];
  /** The current set, one item per key. */
  readonly current: ReadonlySet<T>;
}

/**
 * Emits how each set differs from the one before.
 *
 * 1. The first set is compared with the empty set.
 * 2. Nothing is emitted for a set with the same keys as the one before, but the next set is compared with its items.
 * 3. Two items with the same key are the same; keys are compared as a Map does, so NaN equals NaN. The last one of a set
 *    counts. Without `keyOf` an item is its own key.
 * 4. A set is read once, when it arrives, and copied, so it may change afterwards.
 * 5. If `keyOf` or the iteration throws, the result errors with the thrown value.
 *
 * ```
 *   source  --1---2---3---4---|    1: a    2: a, b   3: b, a   4: b
 *           setDifference()
 *   result  --x---y-------z---|    x: +a   y: +b     z: -a
 * ```
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { setDifference } from 'tidemark/operators';
 *
 * of(['w1', 'w2'], new Set(['w2', 'w1']), ['w2', 'w3'])
 *   .pipe(setDifference())
 *   .subscribe(({ added, removed, current }) => console.log(added, removed, current.size));
 * // Logs: [ 'w1', 'w2' ] [] 2
 * // Logs: [ 'w3' ] [ 'w1' ] 2
 * ```
 *
 * @param keyOf the key of an item
 */
export function setDifference<T>(
  keyOf: (item: T) => unknown = identity,
): OperatorFunction<Iterable<T>, SetDifference<T>> {
  return (sets$) =>
    sets$.pipe(
      map((items) => new Map(Array.from(items, (item) => [keyOf(item), item]))),
      startWith(new Map<unknown, T>()),
      pairwise(),
      map(([before, now]) => ({ added: missing(now, before), removed: missing(before, now), now })),
      filter(({ added, removed }) => added.length > 0 || removed.length > 0),
      map(({ added, removed, now }) => ({ added, removed, current: new Set(now.values()) })),
    );
}

/** The items of one set whose keys are not in the other one. */
function missing<T>(from: ReadonlyMap<unknown, T>, other: ReadonlyMap<unknown, T>): T[] {
  const items: T[] = [];
  for (const [key, item] of from) if (!other.has(key)) items.push(item);
  return items;
}
