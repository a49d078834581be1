import { filter, identity, map, pairwise, startWith, type OperatorFunction } from 'rxjs';

/** What changed from one set to the next. */
export interface SetDifference<T> {
  /** Items whose key is new, in the order of the present set. */
  readonly added: readonly T[];
  /** Items whose key is gone, as they were in the set before and in its order. */
  readonly removed: readonly T[];
  /** The present set, one item per key. */
  readonly current: ReadonlySet<T>;
}

/**
 * Emits how each set differs from the one before.
 *
 * 1. The first set is compared with the empty set.
 * 2. Nothing is emitted for a set with the same keys as the one before; its items are those that count from
 *    then on.
 * 3. Two items with the same key (as a Map sees it, so NaN equals NaN) are the same; the last one of a set
 *    counts. Without `keyOf` an item is its own key.
 * 4. A set is read once, when it arrives, and copied: it may change or go away afterwards.
 * 5. When `keyOf` or the iteration throws, the result errors with what was thrown.
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
 * @param keyOf What makes two items the same.
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

/** The items of one set whose keys the other lacks. */
function missing<T>(from: ReadonlyMap<unknown, T>, other: ReadonlyMap<unknown, T>): T[] {
  const items: T[] = [];
  for (const [key, item] of from) if (!other.has(key)) items.push(item);
  return items;
}
