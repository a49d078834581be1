/** How many of the lowest bits binary64 cannot hold of an integer of 64 bits. */
const LOW_BITS = 11n;
const LOW = (1n << LOW_BITS) - 1n;

/**
 * The `f32` that Rust's reader makes of a JSON number: an integer of 64 bits is rounded once, everything else goes
 * through binary64 first. What is too large is infinite.
 */
export function singleOf(text: string): number {
  if (!/^-?[0-9]+$/.test(text)) return Math.fround(Number(text));
  const whole = BigInt(text);
  const size = whole < 0n ? -whole : whole;
  const isInteger = whole < 0n ? size <= 1n << 63n : size < 1n << 64n;
  if (!isInteger || size <= BigInt(Number.MAX_SAFE_INTEGER)) return Math.fround(Number(text));
  // What binary64 would drop is kept as one sticky bit, so that the rounding to 24 bits is the only one.
  const sticky = (size & LOW) === 0n ? 0n : 1n;
  const single = Math.fround(Number((size >> LOW_BITS) | sticky) * Number(LOW + 1n));
  return whole < 0n ? -single : single;
}
