/** A copy of the map with one entry set. */
export function withEntry<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map(map).set(key, value);
}

/** The entries of the map whose keys pass. */
export function onlyKeys<K, V>(map: ReadonlyMap<K, V>, keep: (key: K) => boolean): ReadonlyMap<K, V> {
  return new Map([...map].filter(([key]) => keep(key)));
}

/** The elements of the set that pass. */
export function only<T>(set: Iterable<T>, keep: (element: T) => boolean): ReadonlySet<T> {
  return new Set([...set].filter(keep));
}

/** A copy of the set with one element in it, or not. */
export function withMember<T>(set: ReadonlySet<T> | null, element: T, present: boolean): ReadonlySet<T> {
  const others = only(set ?? [], (one) => one !== element);
  return present ? new Set([...others, element]) : others;
}
