import { DecodeFailure } from './decode-error.js';
import type { JsonNode } from './json-node.js';

// Only half of a pair is a surrogate to an expression that reads whole characters.
const HALF_PAIR = /\p{Surrogate}/u;

/**
 * Fails where Rust's reader of JSON refuses what JSON allows: half a surrogate pair in a text, a number beyond binary64.
 *
 * @throws DecodeFailure, inside this room
 */
export function readableByRust(node: JsonNode): void {
  switch (node.kind) {
    case 'string':
      whole(node.value, node.offset);
      break;
    case 'number':
      if (!Number.isFinite(Number(node.text)))
        throw new DecodeFailure('out-of-range', 'a number is too large', node.offset);
      break;
    case 'array':
      for (const item of node.items) readableByRust(item);
      break;
    case 'object':
      for (const { key, offset, value } of node.members) {
        whole(key, offset);
        readableByRust(value);
      }
      break;
  }
}

function whole(text: string, offset: number): void {
  if (HALF_PAIR.test(text))
    throw new DecodeFailure('malformed', 'a string has half a surrogate pair', offset);
}
