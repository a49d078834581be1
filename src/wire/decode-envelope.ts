import type { Count } from '../core/count.js';
import type { LoadPolicy } from '../core/load-policy.js';
import { decodeErrorOf, DecodeFailure, type DecodeError } from './decode-error.js';
import { walkHead } from './envelope-walker.js';
import { spanValue } from './span-value.js';
import { topicText } from './topic-text.js';

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
  return decodeErrorOf(() => {
    if (bytes.length === 0) throw new DecodeFailure('empty', 'the message is empty', 0);
    const head = walkHead(bytes, policy.wire);
    return {
      publisherId: String(spanValue(bytes, head.publisherId)),
      sequence: spanValue(bytes, head.sequence),
      publishedAt: spanValue(bytes, head.publishedAt),
      topic: topicText(bytes, head.topic),
      payload: head.gathered ?? bytes.slice(head.payload.start, head.payload.end),
    };
  });
}
