function isLostInJson(value: unknown): boolean {
  return typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value));
}

/**
 * Plain data in the form that JSON can hold: a `bigint` as text with all its digits; NaN and the infinities as `"NaN"`,
 * `"Infinity"` and `"-Infinity"`, as in a recording; a Map as an object, and a Set as an array.
 */
function jsonForm(value: unknown): unknown {
  if (isLostInJson(value)) return String(value);
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return value;
  return contentsAsJson(value);
}

/** The contents of an object, at every depth, as plain data that JSON can hold. */
export function contentsAsJson(value: object): object {
  if (value instanceof Set || Array.isArray(value)) return [...(value as Iterable<unknown>)].map(jsonForm);
  const entries = value instanceof Map ? [...(value as Map<string, unknown>)] : Object.entries(value);
  return Object.fromEntries(entries.map(([key, inner]) => [key, jsonForm(inner)]));
}

const hiddenToJson = {
  value(this: object): object {
    return contentsAsJson(this);
  },
} satisfies PropertyDescriptor;

/**
 * Returns the same value, after making sure that `JSON.stringify` accepts it and loses nothing.
 *
 * 1. A Map, a Set, and a record with a number that JSON cannot hold get a hidden method `toJSON`. Other records stay as
 *    they are.
 * 2. The method is not enumerable, so deep-equal comparisons, `Object.keys` and `console.log` do not see it, and a copy
 *    such as `{ ...record }` does not have it.
 *
 * @param numbers the numbers of a record; all its properties when absent
 */
export function jsonReady<T extends object>(value: T, numbers?: readonly unknown[]): T {
  const isCollection = value instanceof Map || value instanceof Set;
  if (isCollection || (numbers ?? Object.values(value)).some(isLostInJson))
    Object.defineProperty(value, 'toJSON', hiddenToJson);
  return value;
}

/** The name of the method with which an object says how Node's `console.log` prints it. */
export const inspectCustom: unique symbol = Symbol.for('nodejs.util.inspect.custom');

/** What Node passes to {@link inspectCustom}: the remaining depth, the options, and `util.inspect`. */
export type InspectArguments = readonly [
  depth: number | null,
  options: object,
  inspect: (value: unknown, options: object) => string,
];

/** How `console.log` prints an object: its name, and its contents as a Set or as a record of plain properties. */
export function printAs(name: string, contents: object, [depth, options, inspect]: InspectArguments): string {
  if (depth !== null && depth < 0) return `[${name}]`;
  const text = inspect(contents, { ...options, depth });
  return contents instanceof Set ? text.replace('Set', name) : `${name} ${text}`;
}
