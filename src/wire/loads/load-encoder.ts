import { Encoder } from '@msgpack/msgpack';
import { type Count, MAX_U32 } from '../../core/count.js';
import type { ActiveLoad, LoadReceived } from '../../core/events/fleet-event.js';
import { encodeUtf8 } from '../text-codecs.js';
import { LOAD_FIELDS, LOAD_TOPIC } from './envelope.js';

/** What an envelope says besides its payload: the publisher's id in decimal, its sequence number and its clock. */
export interface EnvelopeHeader extends Required<
  Pick<LoadReceived, 'publisherId' | 'sequence' | 'publishedAt'>
> {
  /** Defaults to `kv_metrics`. */
  readonly topic?: string;
}

/** The number of fields of an encoded `ActiveLoad`: 4 up to release 1.0, 5 since 1.1. */
export type LoadFieldCount = 4 | 5;

const encoder = new Encoder({ useBigInt64: true });

/**
 * Encodes an `ActiveLoad` as the payload of an envelope, byte for byte like `rmp-serde`: a map with the names in wire
 * order, each integer in its smallest unsigned form, and nil for no value.
 *
 * @example
 * ```ts
 * import { workerId } from 'tidemark';
 * import { encodeActiveLoad } from 'tidemark/wire';
 *
 * const load = { workerId: workerId('7'), dpRank: 1, activeDecodeBlocks: 90, activePrefillTokens: null, kvUsedBlocks: null };
 * console.log(encodeActiveLoad(load, 4).length);
 * // Logs: 66
 * ```
 */
export function encodeActiveLoad(load: ActiveLoad, fields: LoadFieldCount): Uint8Array {
  const values = loadValues(load);
  return encoder.encode(
    Object.fromEntries(LOAD_FIELDS.slice(0, fields).map((name) => [name, toSmallestInteger(values[name])])),
  );
}

/** Encodes an `EventEnvelope`: a map with the names in wire order and the payload as binary. */
export function encodeEnvelope(header: EnvelopeHeader, payload: Uint8Array): Uint8Array {
  return encoder.encode({
    publisher_id: toSmallestInteger(BigInt(header.publisherId)),
    sequence: toSmallestInteger(header.sequence),
    published_at: toSmallestInteger(header.publishedAt),
    topic: header.topic ?? LOAD_TOPIC,
    payload,
  });
}

/** Encodes an `ActiveLoad` as the JSON message of release 0.8. */
export function encodeActiveLoadJson(load: ActiveLoad): Uint8Array {
  const values = loadValues(load);
  const members = LOAD_FIELDS.slice(0, 4).map((name) => `"${name}":${values[name]}`);
  return encodeUtf8(`{${members.join(',')}}`);
}

function loadValues(load: ActiveLoad): Record<(typeof LOAD_FIELDS)[number], Count | null> {
  return {
    worker_id: BigInt(load.workerId),
    dp_rank: load.dpRank,
    active_decode_blocks: load.activeDecodeBlocks,
    active_prefill_tokens: load.activePrefillTokens,
    kv_used_blocks: load.kvUsedBlocks,
  };
}

/** Converts a count so that the encoder writes the smallest integer. It would write a number above 2^32 − 1 as a float. */
function toSmallestInteger(value: Count | null): Count | null {
  if (value === null) return null;
  return value <= MAX_U32 ? Number(value) : BigInt(value);
}
