import { type Marble, MarbleError, type MarbleStream } from '../grammar/marble.js';
import { parseMarble } from '../grammar/parse-marble.js';
import { valueText } from '../value-text.js';
import { UNKNOWN_LETTERS } from './compare-output.js';
import type { MarbleOperators } from './marble-operator.js';
import {
  type MarbleResult,
  type OutputResult,
  type SubscriptionsResult,
  drawRow,
  drawSubscription,
  listEmissions,
  nameEmissions,
} from './marble-result.js';
import { runMarble } from './run-marble.js';

/** The maximum number of reasons, and of letters, that are shown; the others are only counted. */
const MAX_LINES = 20;

/**
 * Describes a failed marble: for each row that differs the expected row, the actual one in the same letters, the values of
 * the letters, and how the rows differ. Empty when everything is as expected.
 *
 * Values that are not in the expected row have new capital letters.
 */
export function failureText({ marble, outputs, subscriptions, reasons }: MarbleResult): string {
  const blocks = [
    ...(reasons.length === 0 ? [] : [`${marble.file}: the run itself is not valid\n\n${bullets(reasons)}`]),
    ...subscriptions.filter(hasReasons).map((result) => subscriptionsBlock(marble, result)),
    ...outputs.filter(hasReasons).map((result) => outputBlock(marble, result)),
  ];
  return blocks.join('\n\n');
}

function outputBlock({ file, tickMs }: Marble, { stream, emissions, reasons }: OutputResult): string {
  const named = nameEmissions(stream, emissions, tickMs, UNKNOWN_LETTERS);
  const actual =
    drawRow(named, tickMs, stream.text.length) ?? `${listEmissions(named)} (no row can show this)`;
  const values = new Map<string, string>();
  for (const { letter, value } of [...stream.bindings.values()].sort(byFirstUse(stream)))
    values.set(letter === '#' ? '# expected' : letter, valueText(value));
  for (const { kind, letter, text } of named)
    if (kind === 'error') values.set('# actual', text);
    else if (kind === 'next' && !values.has(letter)) values.set(letter, text);
  const width = Math.max(0, ...[...values.keys()].map((letter) => letter.length));
  const legend = capped([...values].map(([letter, text]) => `    ${letter.padEnd(width)}  ${text}`));
  return [
    `${file}:${stream.line}: ${stream.title} is not as expected`,
    `  expected  ${stream.text}\n  actual    ${actual}`,
    ...(legend.length === 0 ? [] : [legend.join('\n')]),
    bullets(reasons),
  ].join('\n\n');
}

function subscriptionsBlock({ file, tickMs }: Marble, result: SubscriptionsResult): string {
  const { stream, subscriptions, reasons } = result;
  const rows = stream.subscriptions.map(({ from, to }) =>
    drawSubscription({ from: from * tickMs, to: to === null ? null : to * tickMs }, tickMs),
  );
  const line = stream.subscriptions[0]?.line ?? stream.line;
  const actual = subscriptions.map((times) => drawSubscription(times, tickMs));
  return [
    `${file}:${line}: the subscriptions to ${stream.title} are not as expected`,
    [`  input     ${stream.text}`, ...list('expected', rows), ...list('actual', actual)].join('\n'),
    bullets(reasons),
  ].join('\n\n');
}

function list(label: string, rows: readonly string[]): string[] {
  const shown = rows.length === 0 ? ['none'] : rows;
  return shown.map((row, index) => `  ${(index === 0 ? label : '').padEnd(8)}  ${row}`);
}

function bullets(reasons: readonly string[]): string {
  return capped(reasons.map((reason) => `  - ${reason}`)).join('\n');
}

function capped(lines: readonly string[]): readonly string[] {
  const more = lines.length - MAX_LINES;
  return more > 0 ? [...lines.slice(0, MAX_LINES), `    and ${more} more`] : lines;
}

function hasReasons({ reasons }: { readonly reasons: readonly string[] }): boolean {
  return reasons.length > 0;
}

/** Compares letters by their first use in the row. */
function byFirstUse({
  notifications,
}: MarbleStream): (a: { letter: string }, b: { letter: string }) => number {
  const first = ({ letter }: { letter: string }): number =>
    notifications.findIndex((notification) => notification.letter === letter);
  return (a, b) => first(a) - first(b);
}

/**
 * Runs a marble file, and throws when it fails. It is one line in a test of any framework.
 *
 * @throws MarbleError with file and line, or with the expected rows, the actual ones and the reasons
 *
 * @example
 * ```ts
 * import { map } from 'rxjs';
 * import { assertMarble } from 'tidemark/testing';
 *
 * const operators = { double: () => map((n: number) => n * 2) };
 * assertMarble('-a-|\na := 2\n> double\n-b-|\nb := 4', 'double.txt', operators);
 * console.log('holds');
 * // Logs: holds
 * ```
 *
 * @see {@link runMarble}
 */
export function assertMarble(text: string, file: string, operators: MarbleOperators): void {
  const result = runMarble(parseMarble(text, file), operators);
  if (result.passed) return;
  const line = result.outputs.find(({ reasons }) => reasons.length > 0)?.stream.line ?? 1;
  throw new MarbleError('marble-failed', file, line, failureText(result));
}
