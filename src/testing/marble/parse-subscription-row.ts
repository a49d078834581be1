import type { MarbleSubscription } from './marble.js';
import type { RowFailure } from './parse-row.js';

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
