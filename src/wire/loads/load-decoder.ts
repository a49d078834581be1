import type { LoadReceived } from '../../core/events/fleet-event.js';
import type { LoadPolicy } from '../../core/policy/load-policy.js';
import type { WorkerId } from '../../core/worker-id.js';
import { catchDecodeFailure, type DecodeError } from '../decode-error.js';
import { type ValueSpan, noSpan, readSpan } from '../msgpack/msgpack-reader.js';
import { type LoadSpans, type WalkedEnvelope, decodeTopic } from './envelope.js';
import type { LoadHeader } from './load-header.js';
import { LoadWalker } from './load-walker.js';

/** A load, a message that is well-formed and not for us, or why the bytes are neither. */
export type DecodedLoad =
  { readonly load: LoadReceived } | { readonly foreignTopic: string } | { readonly error: DecodeError };

/**
 * Decodes load messages of every generation, as far as a policy's `wire` cell accepts them.
 *
 * 1. The first byte tells the format: a MessagePack envelope (0.9 and later), or JSON: an `ActiveLoad` (0.8) or a
 *    `LoadEvent` (0.4 to 0.7).
 * 2. It never throws. What cannot be decoded is an `error` with code, reason and byte offset.
 * 3. An envelope of another topic is a `foreignTopic`; its payload is not looked at.
 * 4. A message of a shape seen before takes a fast way that compares every byte that is no value; all others are
 *    walked. Both ways give the same result on every input; {@link fast} and {@link walked} count them.
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

  /** How many envelopes took the fast way. */
  get fast(): number {
    return this.walker.fast;
  }

  /** How many envelopes were walked. */
  get walked(): number {
    return this.walker.walked;
  }

  /** Publisher, sequence and time of the last message as numbers, as {@link LoadBatchDecoder.header} has them. */
  get header(): LoadHeader {
    return this.walker.header;
  }

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
  return {
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
  };
}
