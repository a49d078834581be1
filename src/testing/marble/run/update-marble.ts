import { type Marble, MarbleError, type MarbleStream } from '../grammar/marble.js';
import { parseMarble } from '../grammar/parse-marble.js';
import { canonicalText } from '../value-text.js';
import { failureText } from './assert-marble.js';
import type { MarbleOperators } from './marble-operator.js';
import {
  type OutputResult,
  type SubscriptionsResult,
  drawRow,
  drawSubscription,
  listEmissions,
  nameEmissions,
} from './marble-result.js';
import { runMarble } from './run-marble.js';

const FRESH_LETTERS = 'xyzuvwstrqponmlkjihgfedcbaXYZUVWSTRQPONMLKJIHGFEDCBA';

/** The lines that replace a line, by its number. */
type Edits = Map<number, readonly string[]>;

/**
 * The text of a marble file with its expected rows, their bindings and the rows of subscriptions updated to the actual
 * results. Story, titles, inputs and rows that are as expected do not change. The returned text passes.
 *
 * @throws MarbleError when no row can show the results, or the run itself is invalid
 *
 * @example
 * ```ts
 * import { map } from 'rxjs';
 * import { parseMarble, updateMarble } from 'tidemark/testing';
 *
 * const marble = parseMarble('-a-|\na := 2\n> double\n-b--\nb := 5', 'double.txt');
 * console.log(updateMarble(marble, { double: () => map((n: number) => n * 2) }).split('\n').slice(3));
 * // Logs: [ '-b-|', 'b := 4' ]
 * ```
 */
export function updateMarble(marble: Marble, operators: MarbleOperators): string {
  const result = runMarble(marble, operators);
  if (result.passed) return marble.lines.join('\n');
  if (result.reasons.length > 0)
    throw failed(marble, 1, failureText({ ...result, outputs: [], subscriptions: [] }));
  const edits: Edits = new Map();
  for (const output of result.outputs) if (output.reasons.length > 0) editOutput(marble, output, edits);
  for (const input of result.subscriptions)
    if (input.reasons.length > 0) editSubscriptions(marble, input, edits);
  const text = marble.lines.flatMap((line, index) => edits.get(index + 1) ?? [line]).join('\n');
  const again = runMarble(parseMarble(text, marble.file), operators);
  if (!again.passed)
    throw failed(marble, 1, `${marble.file}: the updated file fails too\n\n${failureText(again)}`);
  return text;
}

function editOutput(marble: Marble, { stream, emissions }: OutputResult, edits: Edits): void {
  const actual = new Set(emissions.map(({ canonical }) => canonical));
  const kept = new Map([...stream.bindings].filter(([, { value }]) => actual.has(canonicalText(value))));
  // Letters whose values are no longer emitted are used first for new values, which keeps the change small.
  const freed = [...stream.bindings.keys()].filter((letter) => letter !== '#' && !kept.has(letter));
  const named = nameEmissions(
    { ...stream, bindings: kept },
    emissions,
    marble.tickMs,
    freed.join('') + FRESH_LETTERS,
  );
  const row = drawRow(named, marble.tickMs, longestRow(marble));
  if (row === undefined || row.includes('?')) throw noRow(marble, stream, listEmissions(named));
  edits.set(stream.line, [row]);
  const texts = new Map(
    named.filter(({ kind }) => kind !== 'complete').map(({ letter, text }) => [letter, text]),
  );
  for (const { letter, line, value } of stream.bindings.values()) {
    const text = texts.get(letter);
    const same =
      kept.has(letter) &&
      named.some((emission) => emission.letter === letter && emission.canonical === canonicalText(value));
    if (!same) edits.set(line, text === undefined ? [] : [`${letter} := ${text}`]);
    texts.delete(letter);
  }
  const last = lastLine(marble, stream);
  const added = [...texts].map(([letter, text]) => `${letter} := ${text}`);
  edits.set(last, [...(edits.get(last) ?? [marble.lines[last - 1] ?? '']), ...added]);
}

function editSubscriptions(
  marble: Marble,
  { stream, subscriptions }: SubscriptionsResult,
  edits: Edits,
): void {
  const rows = subscriptions.map((times) => drawSubscription(times, marble.tickMs));
  const inWords = rows.find((row) => row.startsWith('from'));
  if (inWords !== undefined) throw noRow(marble, stream, inWords);
  stream.subscriptions.forEach(({ line }, index) => edits.set(line, index === 0 ? rows : []));
}

/** The length of the longest row. Rows of equal length are easier to compare. */
function longestRow({ inputs, outputs }: Marble): number {
  return Math.max(...[...inputs, ...outputs].map(({ text }) => text.length));
}

/** The last line that belongs to a stream: before an empty line, a comment, an operator or the next row. */
function lastLine({ lines, inputs, outputs }: Marble, { line }: MarbleStream): number {
  const rows = [...inputs, ...outputs].map((stream) => stream.line);
  let last = line;
  while (!rows.includes(last + 1) && /^[^%>\s]/.test(lines[last] ?? '')) last += 1;
  return last;
}

function noRow({ file, tickMs }: Marble, { line, title }: MarbleStream, what: string): MarbleError {
  const reason = `no row can show the emissions of ${title}: ${what}; spread the inputs, or use a tick other than ${tickMs} ms`;
  return new MarbleError('marble-failed', file, line, `${file}:${line}: ${reason}.`);
}

function failed({ file }: Marble, line: number, text: string): MarbleError {
  return new MarbleError('marble-failed', file, line, text);
}
