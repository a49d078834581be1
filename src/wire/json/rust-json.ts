import { DecodeFailure } from '../decode-error.js';
import type { JsonNode } from './lossless-json.js';

/** The limit of Rust's JSON reader. */
const MAX_DEPTH = 127;
// With the u flag only an unpaired surrogate matches.
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Fails where Rust's JSON reader rejects what JSON allows: an unpaired surrogate in a string, a number beyond binary64,
 * or more than 127 levels.
 *
 * @throws DecodeFailure (internal to wire/)
 */
export function requireReadableByRust(node: JsonNode, depth = 0): void {
  if ((node.kind === 'array' || node.kind === 'object') && depth >= MAX_DEPTH)
    throw new DecodeFailure('too-deep', `more than ${MAX_DEPTH} levels of nesting`, node.offset);
  switch (node.kind) {
    case 'string':
      requirePairedSurrogates(node.value, node.offset);
      break;
    case 'number':
      // A number without an exponent can only be too large if it is long.
      if (/[eE]|^.{300}/.test(node.text) && !Number.isFinite(Number(node.text)))
        throw new DecodeFailure('out-of-range', 'a number is too large', node.offset);
      break;
    case 'array':
      for (const item of node.items) requireReadableByRust(item, depth + 1);
      break;
    case 'object':
      for (const { key, offset, value } of node.members) {
        requirePairedSurrogates(key, offset);
        requireReadableByRust(value, depth + 1);
      }
      break;
  }
}

function requirePairedSurrogates(text: string, offset: number): void {
  if (LONE_SURROGATE.test(text))
    throw new DecodeFailure('malformed', 'a string has an unpaired surrogate', offset);
}

/** The number of low bits of a 64-bit integer that binary64 cannot hold. */
const LOW_BITS = 11n;
const LOW_MASK = (1n << LOW_BITS) - 1n;

/**
 * Parses a JSON number as Rust's reader parses an `f32`: a 64-bit integer is rounded once, and any other number is first
 * rounded to binary64. A number that is too large becomes infinite.
 */
export function parseSingle(text: string): number {
  if (!/^-?[0-9]+$/.test(text)) return Math.fround(Number(text));
  const whole = BigInt(text);
  const size = whole < 0n ? -whole : whole;
  const isInteger = whole < 0n ? size <= 1n << 63n : size < 1n << 64n;
  if (!isInteger || size <= BigInt(Number.MAX_SAFE_INTEGER)) return Math.fround(Number(text));
  // A sticky bit replaces the bits that binary64 cannot hold, so that only the rounding to 24 bits happens.
  const sticky = (size & LOW_MASK) === 0n ? 0n : 1n;
  const single = Math.fround(Number((size >> LOW_BITS) | sticky) * Number(LOW_MASK + 1n));
  return whole < 0n ? -single : single;
}
