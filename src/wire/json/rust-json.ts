import { DecodeFailure } from '../decode-error.js';
import type { JsonNode } from './lossless-json.js';

/** At this depth Rust's reader gives up. */
const MAX_DEPTH = 127;
// Only half of a pair is a surrogate to an expression that reads whole characters.
const HALF_PAIR = /\p{Surrogate}/u;

/**
 * Fails where Rust's reader of JSON refuses what JSON allows: half a surrogate pair in a text, a number beyond binary64,
 * more than 127 levels.
 *
 * @throws DecodeFailure, inside this room
 */
export function requireReadableByRust(node: JsonNode, depth = 0): void {
  if ((node.kind === 'array' || node.kind === 'object') && depth >= MAX_DEPTH)
    throw new DecodeFailure('too-deep', `more than ${MAX_DEPTH} levels of nesting`, node.offset);
  switch (node.kind) {
    case 'string':
      requireWholePairs(node.value, node.offset);
      break;
    case 'number':
      // One without an exponent has to be long to be too large.
      if (/[eE]|^.{300}/.test(node.text) && !Number.isFinite(Number(node.text)))
        throw new DecodeFailure('out-of-range', 'a number is too large', node.offset);
      break;
    case 'array':
      for (const item of node.items) requireReadableByRust(item, depth + 1);
      break;
    case 'object':
      for (const { key, offset, value } of node.members) {
        requireWholePairs(key, offset);
        requireReadableByRust(value, depth + 1);
      }
      break;
  }
}

function requireWholePairs(text: string, offset: number): void {
  if (HALF_PAIR.test(text))
    throw new DecodeFailure('malformed', 'a string has half a surrogate pair', offset);
}

/** How many of the lowest bits binary64 cannot hold of an integer of 64 bits. */
const LOW_BITS = 11n;
const LOW_MASK = (1n << LOW_BITS) - 1n;

/**
 * The `f32` that Rust's reader makes of a JSON number: an integer of 64 bits is rounded once, everything else goes
 * through binary64 first. What is too large is infinite.
 */
export function parseSingle(text: string): number {
  if (!/^-?[0-9]+$/.test(text)) return Math.fround(Number(text));
  const whole = BigInt(text);
  const size = whole < 0n ? -whole : whole;
  const isInteger = whole < 0n ? size <= 1n << 63n : size < 1n << 64n;
  if (!isInteger || size <= BigInt(Number.MAX_SAFE_INTEGER)) return Math.fround(Number(text));
  // What binary64 would drop is kept as one sticky bit, so that the rounding to 24 bits is the only one.
  const sticky = (size & LOW_MASK) === 0n ? 0n : 1n;
  const single = Math.fround(Number((size >> LOW_BITS) | sticky) * Number(LOW_MASK + 1n));
  return whole < 0n ? -single : single;
}
