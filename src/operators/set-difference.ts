import { defer, identity, map, type OperatorFunction } from 'rxjs';

/** The difference between a set and the one before. */
export interface SetDifference<T> {
  /** Items whose key is new, in the order of the new set. */
  readonly added: readonly T[];
  /** Items whose key was removed, from the set before and in its order. */
  readonly removed: readonly T[];
  /** The new set, one item per key. */
  readonly present: ReadonlySet<T>;
  /** Whether it is the first one of a subscription, so that `added` is the whole set. */
  readonly isSnapshot: boolean;
}

/**
 * Emits how each set differs from the one before.
 *
 * 1. The first set is compared with the empty set, and `isSnapshot` marks its difference.
 * 2. Every set gives one difference, even if nothing differs: `added` and `removed` are empty then.
 * 3. Two items with the same key are the same; keys are compared as a Map does, so NaN equals NaN. The last one of a set
 *    counts.
 * 4. A set is read once, when it arrives, and copied, so it may change afterwards. `keyOf` may be called again for an item.
 * 5. If `keyOf`, `before` or the iteration throws, the result errors with the thrown value.
 *
 * ```
 *   source  --1---2---3---4---|    1: a    2: a, b   3: b, a   4: b
 *           setDifference()
 *   result  --x---y---o---z---|    x: +a   y: +b     o: none   z: -a
 * ```
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { setDifference } from 'tidemark/operators';
 *
 * of(['w1', 'w2'], new Set(['w2', 'w3']), ['w3'])
 *   .pipe(setDifference())
 *   .subscribe(({ added, removed, present }) => console.log(added, removed, present.size));
 * // Logs: [ 'w1', 'w2' ] [] 2
 * // Logs: [ 'w3' ] [ 'w1' ] 2
 * // Logs: [] [ 'w2' ] 1
 * ```
 *
 * @param keyOf the key of an item; without it, an item is its own key
 * @param before returns the set with which the next set is compared; without it, that is the set before
 */
export function setDifference<T>(
  keyOf: (item: T) => unknown = identity,
  before?: () => ReadonlySet<T>,
): OperatorFunction<Iterable<T>, SetDifference<T>> {
  // An item that is its own key needs no map, which would double the cost of a large set.
  const keyed = (items: Iterable<T>): Keyed<T> =>
    keyOf === identity ? new Set(items) : new Map(Array.from(items, (item) => [keyOf(item), item]));
  const missing = (from: Keyed<T>, other: Keyed<T>): T[] => {
    const items: T[] = [];
    for (const item of from.values()) if (!other.has(keyOf(item))) items.push(item);
    return items;
  };
  return (sets$) =>
    defer(() => {
      let last: Keyed<T> = new Set<T>();
      return sets$.pipe(
        map((items, index) => {
          const now = keyed(items);
          const then = before === undefined ? last : keyOf === identity ? before() : keyed(before());
          last = now;
          return {
            added: missing(now, then),
            removed: missing(then, now),
            present: now instanceof Set ? (now as ReadonlySet<T>) : new Set(now.values()),
            isSnapshot: index === 0,
          };
        }),
      );
    });
}

/** The items of a set by key: a set of items that are their own keys, or a map. */
interface Keyed<T> {
  has(key: unknown): boolean;
  values(): Iterable<T>;
}
