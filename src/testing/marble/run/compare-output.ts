import { type JsonValue, parseJsonValue } from '../../../wire/json/json-value.js';
import type { MarbleNotification, MarbleStream } from '../grammar/marble.js';
import { canonicalText } from '../value-text.js';
import {
  type MarbleEmission,
  type NamedEmission,
  type SubscriptionTimes,
  drawSubscription,
  nameEmissions,
} from './marble-result.js';

/** The first difference of two JSON texts: `.verdict.busy is true, not false`. Empty when no part of them is equal. */
export function firstDifference(expected: string, actual: string): string {
  const [wanted, found] = [parseJsonValue(expected), parseJsonValue(actual)];
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

/** The letters of values that are not in the expected row. */
export const UNKNOWN_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

interface Expected extends Pick<MarbleEmission, 'at' | 'kind' | 'canonical'> {
  readonly letter: string;
}
type Pair = (expected: Expected, actual: NamedEmission) => boolean;

/**
 * The reasons why the emissions of an output differ from its row; empty when they are equal. Time, value, error, end and
 * the order within a column all count.
 */
export function compareOutput(
  stream: MarbleStream,
  emissions: readonly MarbleEmission[],
  tickMs: number,
): string[] {
  const expected = stream.notifications.map((notification) => expectedOf(notification, stream, tickMs));
  const actual = nameEmissions(stream, emissions, tickMs, UNKNOWN_LETTERS);
  const reasons: { readonly at: number; readonly text: string }[] = [];
  const wanted = [...expected];
  const found = [...actual];
  // The pairs are made in this order, so that each reason explains as much as possible: equal, late, another value.
  const pairOff = (pair: Pair, text?: (a: Expected, b: NamedEmission) => string): void => {
    for (const a of [...wanted]) {
      const b = found.find((candidate) => pair(a, candidate));
      if (b === undefined) continue;
      wanted.splice(wanted.indexOf(a), 1);
      found.splice(found.indexOf(b), 1);
      if (text !== undefined) reasons.push({ at: Math.min(a.at, b.at), text: text(a, b) });
    }
  };
  const column = (at: number): string => columnText(at, tickMs);
  const sameValue: Pair = (a, b) => a.kind === b.kind && a.canonical === b.canonical;
  pairOff((a, b) => sameValue(a, b) && a.at === b.at);
  pairOff(
    sameValue,
    (a, b) =>
      `right value at the wrong time: ${nameOf(a)} was expected in ${column(a.at)}, and was emitted ${arrivalText(b.at, tickMs)}`,
  );
  pairOff(
    (a, b) => a.kind === b.kind && a.at === b.at,
    (a, b) => `value differs in ${column(a.at)}: ${valuesOf(a, b)}`,
  );
  for (const missing of wanted)
    reasons.push({ at: missing.at, text: `missing: ${nameOf(missing)} in ${column(missing.at)}` });
  for (const unexpected of found)
    reasons.push({
      at: unexpected.at,
      text: `unexpected: ${nameOf(unexpected)} ${arrivalText(unexpected.at, tickMs)}`,
    });
  if (reasons.length === 0) reasons.push(...misordered(expected, actual, column));
  for (const { kind, value, canonical, letter, at } of actual)
    if (kind !== 'complete' && canonicalText(value) !== canonical)
      reasons.push({ at, text: `changed after it was emitted: ${letter} became ${canonicalText(value)}` });
  return reasons.sort((a, b) => a.at - b.at).map(({ text }) => text);
}

function expectedOf(
  { column, kind, letter }: MarbleNotification,
  stream: MarbleStream,
  tickMs: number,
): Expected {
  const canonical = kind === 'complete' ? '' : canonicalText(stream.bindings.get(letter)?.value);
  return { at: column * tickMs, kind, letter, canonical };
}

function misordered(
  expected: readonly Expected[],
  actual: readonly NamedEmission[],
  columnOf: (at: number) => string,
): { readonly at: number; readonly text: string }[] {
  const wrong = expected.findIndex(({ canonical, kind }, index) => {
    const emission = actual[index];
    return emission?.canonical !== canonical || emission.kind !== kind;
  });
  const at = expected[wrong]?.at;
  if (at === undefined) return [];
  const letters = (all: readonly { at: number; letter: string }[]): string =>
    all.map((emission) => (emission.at === at ? emission.letter : '')).join('');
  return [
    {
      at,
      text: `wrong order in ${columnOf(at)}: expected ${letters(expected)}, got ${letters(actual)}`,
    },
  ];
}

function nameOf({ kind, letter }: Pick<Expected, 'kind' | 'letter'>): string {
  return { next: letter, error: 'the error', complete: 'the end' }[kind];
}

function valuesOf(expected: Expected, actual: NamedEmission): string {
  const where = firstDifference(expected.canonical, actual.text);
  const what =
    expected.kind === 'error'
      ? `the error is ${actual.text}, not ${expected.canonical}`
      : `expected ${expected.letter}, got ${actual.letter}`;
  return where === '' ? what : `${what}; ${where}`;
}

function columnText(at: number, tickMs: number): string {
  return Number.isInteger(at / tickMs) ? `column ${at / tickMs}` : `no column (${at} ms)`;
}

function arrivalText(at: number, tickMs: number): string {
  if (Number.isInteger(at / tickMs)) return `in column ${at / tickMs}`;
  return `at ${at} ms, between columns ${Math.floor(at / tickMs)} and ${Math.ceil(at / tickMs)}`;
}

/** The reasons why the subscriptions to an input differ from its rows; empty when they are equal or there are no rows. */
export function compareSubscriptions(
  stream: MarbleStream,
  actual: readonly SubscriptionTimes[],
  tickMs: number,
): string[] {
  const rows = stream.subscriptions;
  if (rows.length === 0) return [];
  if (rows.length !== actual.length)
    return [
      `expected ${rows.length} ${rows.length === 1 ? 'subscription' : 'subscriptions'}, got ${actual.length}`,
    ];
  return rows.flatMap(({ from, to }, index) => {
    const expected = drawSubscription({ from: from * tickMs, to: to === null ? null : to * tickMs }, tickMs);
    const found = actual[index] === undefined ? '' : drawSubscription(actual[index], tickMs);
    return expected === found ? [] : [`subscription ${index + 1} is ${found}, not ${expected}`];
  });
}
