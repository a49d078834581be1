import type { MarbleStream } from './marble.js';
import type { SubscriptionTimes } from './marble-result.js';
import { drawSubscription } from './draw-row.js';

/** Why the subscriptions to an input are not those of its rows; nothing when they are, or when it has no rows. */
export function compareSubscriptions(
  stream: MarbleStream,
  actual: readonly SubscriptionTimes[],
  tickMs: number,
): string[] {
  const rows = stream.subscriptions;
  if (rows.length === 0) return [];
  if (rows.length !== actual.length)
    return [
      `${rows.length} ${rows.length === 1 ? 'subscription was' : 'subscriptions were'} expected, ${actual.length} came`,
    ];
  return rows.flatMap(({ from, to }, index) => {
    const expected = drawSubscription({ from: from * tickMs, to: to === null ? null : to * tickMs }, tickMs);
    const came = actual[index] === undefined ? '' : drawSubscription(actual[index], tickMs);
    return expected === came ? [] : [`subscription ${index + 1} is ${came}, not ${expected}`];
  });
}
