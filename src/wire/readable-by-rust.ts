import { DecodeFailure } from './decode-error.js';
import type { JsonNode } from './json-node.js';

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
export function readableByRust(node: JsonNode, depth = 0): void {
  if ((node.kind === 'array' || node.kind === 'object') && depth >= MAX_DEPTH)
    throw new DecodeFailure('too-deep', `more than ${MAX_DEPTH} levels of nesting`, node.offset);
  switch (node.kind) {
    case 'string':
      whole(node.value, node.offset);
      break;
    case 'number':
      // One without an exponent has to be long to be too large.
      if (/[eE]|^.{300}/.test(node.text) && !Number.isFinite(Number(node.text)))
        throw new DecodeFailure('out-of-range', 'a number is too large', node.offset);
      break;
    case 'array':
      for (const item of node.items) readableByRust(item, depth + 1);
      break;
    case 'object':
      for (const { key, offset, value } of node.members) {
        whole(key, offset);
        readableByRust(value, depth + 1);
      }
      break;
  }
}

function whole(text: string, offset: number): void {
  if (HALF_PAIR.test(text))
    throw new DecodeFailure('malformed', 'a string has half a surrogate pair', offset);
}
