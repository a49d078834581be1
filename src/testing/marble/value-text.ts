/**
 * A value as the JSON of a binding. Integers keep all their digits.
 *
 * 1. A Map with text keys is an object, a Set an array, and an Error an object with its name, message and own fields.
 * 2. A value that JSON cannot represent becomes a word that is not JSON (`undefined`, `NaN`, `[function]`), so it equals
 *    no value of a binding.
 * 3. A field that is `undefined` is omitted. With `sorted`, keys are sorted, and equal values have equal texts.
 */
export function valueText(value: unknown, sorted = false): string {
  return textOf(value, sorted, []);
}

/** A text that is the same for equal values, regardless of the order of their keys. */
export function canonicalText(value: unknown): string {
  return valueText(value, true);
}

function textOf(value: unknown, sorted: boolean, above: readonly object[]): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function' || typeof value === 'symbol') return `[${typeof value}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (above.includes(value)) return '[cycle]';
  const inside = [...above, value];
  if (value instanceof Set || Array.isArray(value))
    return `[${[...(value as Iterable<unknown>)].map((item) => textOf(item, sorted, inside)).join(',')}]`;
  if (hasVisibleToJson(value)) return textOf(value.toJSON(), sorted, inside);
  const entries = entriesOf(value).filter(([, inner]) => inner !== undefined);
  const members = entries.map(([key, inner]) => `${keyText(key)}:${textOf(inner, sorted, inside)}`);
  return `{${(sorted ? members.sort() : members).join(',')}}`;
}

/**
 * Whether a value says itself how it becomes JSON. The hidden method of tidemark's own plain values does not count, since it
 * makes large integers text.
 */
function hasVisibleToJson(value: object): value is { toJSON(): unknown } {
  if (!('toJSON' in value) || typeof value.toJSON !== 'function') return false;
  return Object.getOwnPropertyDescriptor(value, 'toJSON')?.enumerable !== false;
}

function entriesOf(value: object): [unknown, unknown][] {
  if (value instanceof Map) return [...(value as Map<unknown, unknown>)];
  if (!(value instanceof Error)) return Object.entries(value);
  const { name, message } = value;
  return Object.entries({ name, message, ...(value as object) });
}

function keyText(key: unknown): string {
  return typeof key === 'string' ? JSON.stringify(key) : `[${typeof key}]`;
}
