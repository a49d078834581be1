import { DecodeFailure } from './decode-error.js';
import type { ByteRange } from './msgpack-reader.js';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The topic of an envelope as text.
 *
 * @throws DecodeFailure, inside this room
 */
export function topicText(bytes: Uint8Array, { start, end }: ByteRange): string {
  try {
    return utf8.decode(bytes.subarray(start, end));
  } catch {
    throw new DecodeFailure('invalid-utf8', 'topic is no UTF-8', start);
  }
}
