import type { NamedEmission } from './name-emissions.js';
import type { SubscriptionTimes } from './marble-result.js';

/**
 * The row that shows emissions, at least `width` columns wide. `undefined` when no row can: something came between
 * two columns, or in a column that the width of a group before it covers.
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

/** Emissions as a list, for those that no row can show: `(xy) at 10 ms, z at 15 ms`. */
export function listEmissions(emissions: readonly NamedEmission[]): string {
  const list = [...byTime(emissions)].map(
    ([at, letters]) => `${letters.length === 1 ? letters : `(${letters})`} at ${at} ms`,
  );
  return list.join(', ');
}

/** The row that shows one subscription, or its times in words where no row can. */
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
