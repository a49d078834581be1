/** The largest unsigned 32-bit integer. */
export const MAX_U32 = 0xffff_ffff;

/** The largest unsigned 64-bit integer. */
export const MAX_U64 = 0xffff_ffff_ffff_ffffn;

/**
 * A count of blocks or tokens, 0 to 2^64 − 1: a `number` up to 2^53 − 1, a `bigint` above.
 *
 * Both kinds compare exactly with `<` and `>`, also with each other. A `bigint` is never multiplied by a fraction.
 */
export type Count = number | bigint;

/** The smallest form that holds a whole number exactly. */
export function countOf(value: bigint): Count {
  return value <= 9007199254740991n ? Number(value) : value;
}

/** Whether a value is a whole number from 0 to 2^64 − 1, held exactly. */
export function isU64(value: number | bigint): boolean {
  return typeof value === 'bigint'
    ? value >= 0n && value <= MAX_U64
    : Number.isSafeInteger(value) && value >= 0;
}
