import type { MarbleNotification, MarbleSubscription } from './marble.js';

/** Tells where a line is wrong: the column (from 0), and what stands there. */
export type RowFailure = (column: number, reason: string) => never;

const terminals: Readonly<Record<string, MarbleNotification['kind']>> = { '|': 'complete', '#': 'error' };

/**
 * The marks of a row in RxJS's characters.
 *
 * 1. `-` is a column in which nothing happens, a letter a value, `|` the end, `#` an error.
 * 2. `(ab)` is a group: all of it happens in the column of the bracket, and it is as wide as its text.
 * 3. Everything else is refused, also what RxJS would read as letters: digits, units of time, spaces.
 */
export function parseRow(text: string, fail: RowFailure): MarbleNotification[] {
  const marks: MarbleNotification[] = [];
  let group: number | undefined;
  let ended = false;
  for (const [column, letter] of [...text].entries()) {
    const at = group ?? column;
    if (letter === ')') {
      if (group === undefined) fail(column, 'a group is closed that was not opened');
      if (marks.at(-1)?.column !== group) fail(column, 'a group holds nothing');
      group = undefined;
    } else if (ended) {
      fail(column, `${JSON.stringify(letter)} follows the end of the stream; nothing can`);
    } else if (letter === '(') {
      if (group !== undefined) fail(column, 'a group stands in a group');
      group = column;
    } else if (letter === '-') {
      if (group !== undefined) fail(column, 'a dash stands in a group, where no time passes');
    } else if (terminals[letter] !== undefined) {
      marks.push({ column: at, kind: terminals[letter], letter });
      ended = true;
    } else if (/^[A-Za-z]$/.test(letter)) {
      marks.push({ column: at, kind: 'next', letter });
    } else {
      fail(column, unexpectedCharacter(letter));
    }
  }
  if (group !== undefined) fail(group, 'a group is not closed');
  return marks;
}

function unexpectedCharacter(letter: string): string {
  const what = `${JSON.stringify(letter)} is no character of a row`;
  if (/[0-9\s]/.test(letter))
    return `${what}; a column is one tick, and how long that is says a line like "% tick: 10ms"`;
  if ('^!'.includes(letter))
    return `${what} of values; a row of subscriptions holds nothing but - ^ ! and ( )`;
  return `${what}; it holds - for a tick, letters, | # and ( )`;
}

/** Reads `---^----!`: subscribed at `^`, unsubscribed at `!`, or never; `(^!)` is both at once. */
export function parseSubscriptionRow(text: string, line: number, fail: RowFailure): MarbleSubscription {
  let from: number | undefined;
  let to: number | null = null;
  let group: number | undefined;
  for (const [column, letter] of [...text].entries()) {
    if (to !== null && letter !== ')') fail(column, 'something follows the end of the subscription');
    if (letter === '^') {
      if (from !== undefined) fail(column, 'a second ^ stands in the row; write a second row');
      from = group ?? column;
    } else if (letter === '!') {
      if (from === undefined) fail(column, 'an end stands before the beginning of the subscription');
      to = group ?? column;
    } else if (letter === '(') {
      if (group !== undefined) fail(column, 'a group stands in a group');
      group = column;
    } else if (letter === ')') {
      if (group === undefined) fail(column, 'a group is closed that was not opened');
      group = undefined;
    } else if (letter !== '-') {
      fail(
        column,
        `${JSON.stringify(letter)} is no character of a row of subscriptions; it holds - ^ ! and ( )`,
      );
    } else if (group !== undefined) {
      fail(column, 'a dash stands in a group, where no time passes');
    }
  }
  if (group !== undefined) fail(group, 'a group is not closed');
  if (from === undefined) fail(0, 'no ^ says when the subscription begins');
  return { line, from: from ?? 0, to };
}
