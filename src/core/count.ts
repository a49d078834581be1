/**
 * A count of blocks or tokens, 0 to 2^64 − 1: a `number` up to 2^53 − 1, a `bigint` above.
 *
 * Both kinds compare exactly with `<` and `>`, also with each other. No fraction is computed on a `bigint`.
 */
export type Count = number | bigint;

/** The smallest form that holds a whole number exactly. */
export function countOf(value: bigint): Count {
  return value <= 9007199254740991n ? Number(value) : value;
}
