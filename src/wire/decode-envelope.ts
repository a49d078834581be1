import type { Count } from '../core/count.js';
import type { LoadPolicy } from '../core/policy/load-policy.js';
import { catchDecodeFailure, DecodeFailure, type DecodeError } from './decode-error.js';
import { decodeTopic, walkHead } from './loads/envelope.js';
import { readSpan } from './msgpack/msgpack-reader.js';

/** An envelope with its payload as it came. */
export interface Envelope {
  readonly publisherId: string;
  readonly sequence: Count;
  readonly publishedAt: Count;
  readonly topic: string;
  readonly payload: Uint8Array;
}

/**
 * Decodes an `EventEnvelope` of any topic and leaves its payload alone. It never throws.
 *
 * @see {@link LoadDecoder}, which also decodes loads
 */
export function decodeEnvelope(
  bytes: Uint8Array,
  policy: LoadPolicy,
): Envelope | { readonly error: DecodeError } {
  return catchDecodeFailure(() => {
    if (bytes.length === 0) throw new DecodeFailure('empty', 'the message is empty', 0);
    const head = walkHead(bytes, policy.wire);
    return {
      publisherId: String(readSpan(bytes, head.publisherId)),
      sequence: readSpan(bytes, head.sequence),
      publishedAt: readSpan(bytes, head.publishedAt),
      topic: decodeTopic(bytes, head.topic),
      payload: head.gathered ?? bytes.slice(head.payload.start, head.payload.end),
    };
  });
}
