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

/** What becomes of lines: those that stand in place of a line, by its number. */
type Edits = Map<number, readonly string[]>;

/**
 * The text of a marble file with its expected rows, their bindings and the rows of subscriptions rewritten to what
 * really comes. Everything else stays: story, titles, inputs, rows that hold.
 *
 * The text that is returned holds. Whoever commits it can say why it changed.
 *
 * @throws MarbleError when no row can show what comes, or the run itself is not valid
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
  for (const one of result.outputs) if (one.reasons.length > 0) editOutput(marble, one, edits);
  for (const one of result.subscriptions) if (one.reasons.length > 0) editSubscriptions(marble, one, edits);
  const text = marble.lines.flatMap((line, index) => edits.get(index + 1) ?? [line]).join('\n');
  const again = runMarble(parseMarble(text, marble.file), operators);
  if (!again.passed)
    throw failed(
      marble,
      1,
      `${marble.file}: what comes cannot be expected, even rewritten\n\n${failureText(again)}`,
    );
  return text;
}

function editOutput(marble: Marble, { stream, emissions }: OutputResult, edits: Edits): void {
  const came = new Set(emissions.map(({ canonical }) => canonical));
  const kept = new Map([...stream.bindings].filter(([, { value }]) => came.has(canonicalText(value))));
  // A letter whose value does not come any more is the first to stand for a new one, which keeps the change small.
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
      named.some((one) => one.letter === letter && one.canonical === canonicalText(value));
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
  const rows = subscriptions.map((one) => drawSubscription(one, marble.tickMs));
  const inWords = rows.find((row) => row.startsWith('from'));
  if (inWords !== undefined) throw noRow(marble, stream, inWords);
  stream.subscriptions.forEach(({ line }, index) => edits.set(line, index === 0 ? rows : []));
}

/** Rows that are equally long are easier to compare. */
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
  const reason = `no row can show what comes of ${title}: ${what}; spread the inputs, or take a tick other than ${tickMs} ms`;
  return new MarbleError('marble-failed', file, line, `${file}:${line}: ${reason}.`);
}

function failed({ file }: Marble, line: number, text: string): MarbleError {
  return new MarbleError('marble-failed', file, line, text);
}
