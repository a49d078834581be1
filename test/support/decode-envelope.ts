import type { LoadPolicy } from '../../src/core/policy/load-policy.js';
import { catchDecodeFailure, DecodeFailure, type DecodeError } from '../../src/wire/decode-error.js';
import { decodeTopic, walkHead } from '../../src/wire/loads/envelope.js';
import type { EnvelopeHeader } from '../../src/wire/loads/load-encoder.js';
import { readSpan } from '../../src/wire/msgpack/msgpack-reader.js';

/** An envelope whose payload is not decoded. */
export interface Envelope extends Required<EnvelopeHeader> {
  readonly payload: Uint8Array;
}

/** Decodes an `EventEnvelope` of any topic and leaves its payload undecoded. It never throws. */
export function decodeEnvelope(
  bytes: Uint8Array,
  policy: LoadPolicy,
): Envelope | { readonly error: DecodeError } {
  return catchDecodeFailure(() => {
    if (bytes.length === 0) throw new DecodeFailure('empty', 'the message is empty', 0);
    const header = walkHead(bytes, policy.wire);
    return {
      publisherId: String(readSpan(bytes, header.publisherId)),
      sequence: readSpan(bytes, header.sequence),
      publishedAt: readSpan(bytes, header.publishedAt),
      topic: decodeTopic(bytes, header.topic),
      payload: header.gathered ?? bytes.slice(header.payload.start, header.payload.end),
    };
  });
}
