import type { Marble, MarbleNotification, MarbleStream } from '../grammar/marble.js';
import { canonicalText } from '../value-text.js';

/** One emission of an operator in virtual time. */
export interface MarbleEmission {
  /** In milliseconds. */
  readonly at: number;
  readonly kind: MarbleNotification['kind'];
  readonly value: unknown;
  /** The value at that moment, in the form of a binding. */
  readonly text: string;
  /** The same with sorted keys. */
  readonly canonical: string;
}

/** One subscription to an input, in milliseconds. `to` is `null` when it did not end. */
export interface SubscriptionTimes {
  readonly from: number;
  readonly to: number | null;
}

/** One expected row, the actual emissions, and the reasons why they differ. */
export interface OutputResult {
  readonly stream: MarbleStream;
  readonly emissions: readonly MarbleEmission[];
  readonly reasons: readonly string[];
}

/** The subscription rows of one input, the actual subscriptions, and the reasons why they differ. */
export interface SubscriptionsResult {
  readonly stream: MarbleStream;
  readonly subscriptions: readonly SubscriptionTimes[];
  readonly reasons: readonly string[];
}

/** The result of running a marble file. */
export interface MarbleResult {
  readonly marble: Marble;
  readonly passed: boolean;
  readonly outputs: readonly OutputResult[];
  readonly subscriptions: readonly SubscriptionsResult[];
  /** The reasons why the run itself is invalid, such as real time in the code under test. */
  readonly reasons: readonly string[];
}

/** An emission with its character in the row. */
export interface NamedEmission extends MarbleEmission {
  readonly letter: string;
}

/**
 * Gives letters to emissions. Values of the expected row have the letters of the row, preferably one in the same column.
 * Other values have new letters, taken from `fresh` in order, or `?` when those are used up.
 */
export function nameEmissions(
  stream: MarbleStream,
  emissions: readonly MarbleEmission[],
  tickMs: number,
  fresh: string,
): NamedEmission[] {
  const free = [...new Set(fresh)].filter((letter) => !stream.bindings.has(letter));
  const added = new Map<string, string>();
  const texts = new Map(
    [...stream.bindings.values()].map(({ letter, value }) => [letter, canonicalText(value)]),
  );
  const known = (emission: MarbleEmission): string | undefined => {
    const here = stream.notifications
      .filter(({ column }) => column * tickMs === emission.at)
      .map(({ letter }) => letter);
    return [...here, ...texts.keys()].find(
      (letter) => letter !== '#' && texts.get(letter) === emission.canonical,
    );
  };
  return emissions.map((emission) => {
    if (emission.kind !== 'next') return { ...emission, letter: emission.kind === 'error' ? '#' : '|' };
    const letter = known(emission) ?? added.get(emission.canonical) ?? free.shift() ?? '?';
    if (!texts.has(letter)) added.set(emission.canonical, letter);
    return { ...emission, letter };
  });
}

/**
 * The row that shows emissions, at least `width` columns wide. `undefined` when no row can show them, because an emission
 * is between two columns, or in a column that an earlier group covers.
 */
export function drawRow(
  emissions: readonly NamedEmission[],
  tickMs: number,
  width: number,
): string | undefined {
  let row = '';
  for (const [at, letters] of byTime(emissions)) {
    const column = at / tickMs;
    if (!Number.isInteger(column) || column < row.length) return undefined;
    row = row.padEnd(column, '-') + (letters.length === 1 ? letters : `(${letters})`);
  }
  return /[|#]\)?$/.test(row) ? row : row.padEnd(width, '-');
}

/** Emissions as a list, when no row can show them: `(xy) at 10 ms, z at 15 ms`. */
export function listEmissions(emissions: readonly NamedEmission[]): string {
  const list = [...byTime(emissions)].map(
    ([at, letters]) => `${letters.length === 1 ? letters : `(${letters})`} at ${at} ms`,
  );
  return list.join(', ');
}

/** The row that shows one subscription, or its times in words when no row can show them. */
export function drawSubscription({ from, to }: SubscriptionTimes, tickMs: number): string {
  const [start, end] = [from / tickMs, to === null ? null : to / tickMs];
  if (!Number.isInteger(start) || (end !== null && !Number.isInteger(end)))
    return `from ${from} ms${to === null ? '' : ` to ${to} ms`}`;
  if (end === start) return `${'-'.repeat(start)}(^!)`;
  return `${'-'.repeat(start)}^${end === null ? '' : `${'-'.repeat(end - start - 1)}!`}`;
}

function byTime(emissions: readonly NamedEmission[]): Map<number, string> {
  const times = new Map<number, string>();
  for (const { at, letter } of emissions) times.set(at, (times.get(at) ?? '') + letter);
  return times;
}
