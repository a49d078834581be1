import { jsonValueOf, type JsonValue } from '../../wire/json-value.js';
import { canonicalText } from './value-text.js';

/** Where two JSON texts differ first: `.verdict.busy is true, not false`. Empty when the values as a whole do. */
export function firstDifference(expected: string, actual: string): string {
  const [wanted, found] = [jsonValueOf(expected), jsonValueOf(actual)];
  if ('error' in wanted || 'error' in found || !isNested(wanted.value) || !isNested(found.value)) return '';
  return difference(wanted.value, found.value, '');
}

function difference(expected: JsonValue | undefined, actual: JsonValue | undefined, path: string): string {
  if (isNested(expected) && isNested(actual) && Array.isArray(expected) === Array.isArray(actual)) {
    const [a, b] = [fieldsOf(expected), fieldsOf(actual)];
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      if (canonicalText(a[key]) !== canonicalText(b[key]))
        return difference(a[key], b[key], Array.isArray(expected) ? `${path}[${key}]` : `${path}.${key}`);
    }
  }
  if (path === '') return '';
  if (actual === undefined) return `${path} is missing`;
  return `${path} is ${canonicalText(actual)}${expected === undefined ? ', not absent' : `, not ${canonicalText(expected)}`}`;
}

function isNested(value: JsonValue | undefined): value is JsonValue & object {
  return typeof value === 'object' && value !== null;
}

function fieldsOf(value: object): Readonly<Record<string, JsonValue | undefined>> {
  return value as Readonly<Record<string, JsonValue | undefined>>;
}
