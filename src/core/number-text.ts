import { type Count, countOf, MAX_U64 } from './count.js';

/** Which numbers an option, a setting or a query parameter accepts. */
export interface NumberRange {
  readonly min: number;
  readonly max: number;
  /** Whether fractions are accepted; only whole numbers when absent. */
  readonly fraction?: boolean;
}

/** The number that a text contains, or `null` if it is not a number in the range. */
export function parseNumber(text: string, { min, max, fraction = false }: NumberRange): number | null {
  const value = text.trim() === '' ? NaN : Number(text);
  return (fraction || Number.isInteger(value)) && value >= min && value <= max ? value : null;
}

/** The accepted numbers in words, as in `a whole number from 0 to 65535`. */
export function numberRangeText({ min, max, fraction = false }: NumberRange): string {
  return `a ${fraction ? '' : 'whole '}number from ${min} to ${max}`;
}

/** The count that a text contains, with all its digits, or `null` if it is not a whole number from 0 to 2^64 − 1. */
export function parseCount(text: string): Count | null {
  return /^[0-9]{1,20}$/.test(text) && BigInt(text) <= MAX_U64 ? countOf(BigInt(text)) : null;
}

/** A count with its noun: `1 worker`, `2 workers`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
