import { firstDifference } from './first-difference.js';
import type { MarbleMark, MarbleStream } from './marble.js';
import type { MarbleEmission } from './marble-result.js';
import { nameEmissions, type NamedEmission } from './name-emissions.js';
import { canonicalText } from './value-text.js';

/** The letters that values have which the expected row does not know. */
export const UNKNOWN_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

interface Expected extends Pick<MarbleEmission, 'at' | 'kind' | 'canonical'> {
  readonly letter: string;
}
type Pair = (expected: Expected, actual: NamedEmission) => boolean;

/**
 * Why what came is not what a row expects; nothing when it is. Time, value, error, end and the order within a
 * column all count.
 */
export function compareOutput(
  stream: MarbleStream,
  emissions: readonly MarbleEmission[],
  tickMs: number,
): string[] {
  const expected = stream.marks.map((mark) => expectedOf(mark, stream, tickMs));
  const actual = nameEmissions(stream, emissions, tickMs, UNKNOWN_LETTERS);
  const reasons: { readonly at: number; readonly text: string }[] = [];
  const wanted = [...expected];
  const found = [...actual];
  // What is paired off first explains best: what is right, what is late, what is another value.
  const pairOff = (pair: Pair, text?: (a: Expected, b: NamedEmission) => string): void => {
    for (const one of [...wanted]) {
      const other = found.find((candidate) => pair(one, candidate));
      if (other === undefined) continue;
      wanted.splice(wanted.indexOf(one), 1);
      found.splice(found.indexOf(other), 1);
      if (text !== undefined) reasons.push({ at: Math.min(one.at, other.at), text: text(one, other) });
    }
  };
  const place = (at: number): string => placeOf(at, tickMs);
  const sameValue: Pair = (a, b) => a.kind === b.kind && a.canonical === b.canonical;
  pairOff((a, b) => sameValue(a, b) && a.at === b.at);
  pairOff(
    sameValue,
    (a, b) =>
      `right value at wrong time: ${nameOf(a)} belongs in ${place(a.at)}, and came ${comes(b.at, tickMs)}`,
  );
  pairOff(
    (a, b) => a.kind === b.kind && a.at === b.at,
    (a, b) => `value differs in ${place(a.at)}: ${valuesOf(a, b)}`,
  );
  for (const one of wanted) reasons.push({ at: one.at, text: `missing: ${nameOf(one)} in ${place(one.at)}` });
  for (const one of found)
    reasons.push({ at: one.at, text: `unexpected: ${nameOf(one)} ${comes(one.at, tickMs)}` });
  if (reasons.length === 0) reasons.push(...misordered(expected, actual, place));
  for (const { kind, value, canonical, letter, at } of actual)
    if (kind !== 'complete' && canonicalText(value) !== canonical)
      reasons.push({ at, text: `changed after it was emitted: ${letter} became ${canonicalText(value)}` });
  return reasons.sort((a, b) => a.at - b.at).map(({ text }) => text);
}

function expectedOf({ column, kind, letter }: MarbleMark, stream: MarbleStream, tickMs: number): Expected {
  const canonical = kind === 'complete' ? '' : canonicalText(stream.bindings.get(letter)?.value);
  return { at: column * tickMs, kind, letter, canonical };
}

function misordered(
  expected: readonly Expected[],
  actual: readonly NamedEmission[],
  place: (at: number) => string,
): { readonly at: number; readonly text: string }[] {
  const wrong = expected.findIndex(({ canonical, kind }, index) => {
    const other = actual[index];
    return other?.canonical !== canonical || other.kind !== kind;
  });
  const at = expected[wrong]?.at;
  if (at === undefined) return [];
  const letters = (all: readonly { at: number; letter: string }[]): string =>
    all.map((one) => (one.at === at ? one.letter : '')).join('');
  return [
    { at, text: `wrong order in ${place(at)}: ${letters(expected)} was expected, ${letters(actual)} came` },
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
      : `${expected.letter} was expected, ${actual.letter} came`;
  return where === '' ? what : `${what}; ${where}`;
}

function placeOf(at: number, tickMs: number): string {
  return Number.isInteger(at / tickMs) ? `column ${at / tickMs}` : `no column (${at} ms)`;
}

function comes(at: number, tickMs: number): string {
  if (Number.isInteger(at / tickMs)) return `in column ${at / tickMs}`;
  return `at ${at} ms, between columns ${Math.floor(at / tickMs)} and ${Math.ceil(at / tickMs)}`;
}
