import type { LoadReceived } from '../../core/events/fleet-event.js';
import { jsonReady } from '../../core/ordinary-value.js';
import type { LoadPolicy } from '../../core/policy/load-policy.js';
import type { WorkerId } from '../../core/worker-id.js';
import { catchDecodeFailure, type DecodeError } from '../decode-error.js';
import { type ValueSpan, noSpan, readSpan } from '../msgpack/msgpack-reader.js';
import { type LoadSpans, type WalkedEnvelope, decodeTopic } from './envelope.js';
import type { LoadHeader } from './load-header.js';
import { LoadWalker } from './load-walker.js';

/** A load, the topic of a well-formed message that is not a load, or the reason why the bytes are neither. */
export type DecodedLoad =
  { readonly load: LoadReceived } | { readonly foreignTopic: string } | { readonly error: DecodeError };

/**
 * Decodes load messages of every release, as far as the `wire` cell of a policy accepts them.
 *
 * 1. The first byte decides the format: a MessagePack envelope (0.9 and later), or JSON, either an `ActiveLoad` (0.8) or
 *    a `LoadEvent` (0.4 to 0.7).
 * 2. It never throws. A message that cannot be decoded is an `error` with a code, a reason and a byte offset.
 * 3. An envelope with another topic is a `foreignTopic`; its payload is not decoded.
 * 4. A key of a MessagePack map is the name of a field or, as an unsigned integer, its index in wire order. Unknown
 *    names and indices are skipped. Any other key is an error, and so is a field given twice, by name or by index.
 * 5. A message of a known shape takes a fast path that only compares the bytes that are not values. All other messages
 *    are walked. Both paths give the same result for every input; {@link fast} and {@link walked} count them.
 *
 * @example
 * ```ts
 * import { policies, workerId } from 'tidemark';
 * import { encodeActiveLoad, encodeEnvelope, LoadDecoder } from 'tidemark/wire';
 *
 * const load = { workerId: workerId('7'), dpRank: 0, activeDecodeBlocks: 90, activePrefillTokens: null, kvUsedBlocks: null };
 * const bytes = encodeEnvelope({ publisherId: '9', sequence: 0, publishedAt: 1_700_000_000_000 }, encodeActiveLoad(load, 4));
 * const decoded = new LoadDecoder(policies.default).decode(bytes);
 * console.log('load' in decoded && decoded.load.activeDecodeBlocks);
 * // Logs: 90
 * ```
 *
 * @see {@link encodeEnvelope}, {@link encodeActiveLoad}
 */
export class LoadDecoder {
  private readonly walker: LoadWalker;

  constructor(policy: LoadPolicy) {
    this.walker = new LoadWalker(policy);
  }

  /** The number of envelopes that took the fast path. */
  get fast(): number {
    return this.walker.fast;
  }

  /** The number of envelopes that were walked. */
  get walked(): number {
    return this.walker.walked;
  }

  /** The publisher, sequence number and time of the last message, see {@link LoadBatchDecoder.header}. */
  get header(): LoadHeader {
    return this.walker.header;
  }

  /** Decodes one message. */
  decode(bytes: Uint8Array): DecodedLoad {
    const known = this.walker.match(bytes);
    if (known !== undefined) return resultOf(bytes, known);
    return catchDecodeFailure(() => {
      const walked = this.walker.walk(bytes);
      return 'kind' in walked ? { load: walked } : resultOf(bytes, walked);
    });
  }
}

function resultOf(bytes: Uint8Array, walked: WalkedEnvelope): DecodedLoad {
  if (walked.load === null) return { foreignTopic: decodeTopic(bytes, walked.topic) };
  return { load: toLoadReported(bytes, walked, walked.load) };
}

function toLoadReported(bytes: Uint8Array, walked: WalkedEnvelope, load: LoadSpans): LoadReceived {
  const from = walked.gathered ?? bytes;
  const optional = (span: ValueSpan): number | bigint | null =>
    span === noSpan ? null : readSpan(from, span);
  return withJson({
    kind: 'load',
    // A 64-bit unsigned integer in decimal is a worker id by construction.
    workerId: String(readSpan(from, load.workerId)) as WorkerId,
    dpRank: load.dpRank === noSpan ? 0 : Number(readSpan(from, load.dpRank)),
    activeDecodeBlocks: optional(load.activeDecodeBlocks),
    activePrefillTokens: optional(load.activePrefillTokens),
    kvUsedBlocks: optional(load.kvUsedBlocks),
    publisherId: String(readSpan(bytes, walked.publisherId)),
    sequence: readSpan(bytes, walked.sequence),
    publishedAt: readSpan(bytes, walked.publishedAt),
  });
}

/** Makes sure that JSON can hold a load. The numbers are compared one by one, since this runs for every load. */
function withJson(load: LoadReceived): LoadReceived {
  const isWide =
    typeof load.activeDecodeBlocks === 'bigint' ||
    typeof load.activePrefillTokens === 'bigint' ||
    typeof load.kvUsedBlocks === 'bigint' ||
    typeof load.sequence === 'bigint' ||
    typeof load.publishedAt === 'bigint';
  return isWide ? jsonReady(load) : load;
}
