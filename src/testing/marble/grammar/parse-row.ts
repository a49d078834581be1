import type { MarbleNotification, MarbleSubscription } from './marble.js';

/** Reports an error in a line: its column (from 0) and its reason. */
export type RowFailure = (column: number, reason: string) => never;

const terminals: Readonly<Record<string, MarbleNotification['kind']>> = { '|': 'complete', '#': 'error' };

/**
 * The notifications of a row, in the characters of RxJS.
 *
 * 1. `-` is a column in which nothing happens, a letter is a value, `|` is the end, and `#` is an error.
 * 2. `(ab)` is a group: everything in it happens in the column of the bracket, and it is as wide as its text.
 * 3. Everything else is refused, including characters that RxJS accepts: digits, units of time, spaces.
 */
export function parseRow(text: string, fail: RowFailure): MarbleNotification[] {
  const notifications: MarbleNotification[] = [];
  let group: number | undefined;
  let ended = false;
  for (const [column, letter] of [...text].entries()) {
    const at = group ?? column;
    if (letter === ')') {
      if (group === undefined) fail(column, 'the ) closes no group');
      if (notifications.at(-1)?.column !== group) fail(column, 'the group is empty');
      group = undefined;
    } else if (ended) {
      fail(column, `${JSON.stringify(letter)} is after the end of the stream`);
    } else if (letter === '(') {
      if (group !== undefined) fail(column, 'a group cannot contain a group');
      group = column;
    } else if (letter === '-') {
      if (group !== undefined) fail(column, 'a group cannot contain a dash, since no time passes in it');
    } else if (terminals[letter] !== undefined) {
      notifications.push({ column: at, kind: terminals[letter], letter });
      ended = true;
    } else if (/^[A-Za-z]$/.test(letter)) {
      notifications.push({ column: at, kind: 'next', letter });
    } else {
      fail(column, unexpectedCharacter(letter));
    }
  }
  if (group !== undefined) fail(group, 'the group is not closed');
  return notifications;
}

function unexpectedCharacter(letter: string): string {
  const what = `${JSON.stringify(letter)} is not allowed in a row`;
  if (/[0-9\s]/.test(letter))
    return `${what}; each column is one tick, and a line like "% tick: 10ms" sets its length`;
  if ('^!'.includes(letter))
    return `${what} of values; write a separate row of subscriptions with - ^ ! and ( )`;
  return `${what}; write - for a tick, letters, | # and ( )`;
}

/** Reads `---^----!`: subscribed at `^`, unsubscribed at `!` or never; `(^!)` is both in one column. */
export function parseSubscriptionRow(text: string, line: number, fail: RowFailure): MarbleSubscription {
  let from: number | undefined;
  let to: number | null = null;
  let group: number | undefined;
  for (const [column, letter] of [...text].entries()) {
    if (to !== null && letter !== ')') fail(column, 'nothing may follow the end of the subscription');
    if (letter === '^') {
      if (from !== undefined) fail(column, 'the row has a second ^; write a second row');
      from = group ?? column;
    } else if (letter === '!') {
      if (from === undefined) fail(column, 'the ! is before the ^');
      to = group ?? column;
    } else if (letter === '(') {
      if (group !== undefined) fail(column, 'a group cannot contain a group');
      group = column;
    } else if (letter === ')') {
      if (group === undefined) fail(column, 'the ) closes no group');
      group = undefined;
    } else if (letter !== '-') {
      fail(column, `${JSON.stringify(letter)} is not allowed in a row of subscriptions; write - ^ ! and ( )`);
    } else if (group !== undefined) {
      fail(column, 'a group cannot contain a dash, since no time passes in it');
    }
  }
  if (group !== undefined) fail(group, 'the group is not closed');
  if (from === undefined) fail(0, 'the row has no ^ for the start of the subscription');
  return { line, from: from ?? 0, to };
}
