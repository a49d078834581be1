import { NONE } from './rank-cells.js';

/** A moment in one word counts this many milliseconds. */
const UNIT = 16;

/** A moment in milliseconds as one word; {@link NONE} for NaN, a moment that nobody knows. */
export function receiptOf(ms: number): number {
  return Number.isNaN(ms) ? NONE : (ms / UNIT) | 0;
}

/** How many milliseconds passed since a receipt, by 16, for up to a year; none for one of the future. `null`: unknown. */
export function sinceReceipt(receipt: number, now: number): number | null {
  // The word wraps, and so does the difference.
  return receipt === NONE ? null : Math.max(0, (receiptOf(now) - receipt) | 0) * UNIT;
}
