import type { WirePolicy } from '../../core/policy/load-policy.js';
import { DecodeFailure } from '../decode-error.js';
import {
  type ByteRange,
  type FreeBytes,
  MsgpackReader,
  type ValueSpan,
  noSpan,
  readSpan,
} from '../msgpack/msgpack-reader.js';
import { isText, walkStruct } from '../msgpack/msgpack-struct.js';
import { decodeUtf8 } from '../text-codecs.js';
import { LOAD_TOPIC } from './subjects.js';

/** The fields of an `ActiveLoad` in wire order. The last came with release 1.1; before, it is an unknown key. */
export const LOAD_FIELDS = [
  'worker_id',
  'dp_rank',
  'active_decode_blocks',
  'active_prefill_tokens',
  'kv_used_blocks',
] as const;

/** The fields that a release knows: as many as its longest positional form has. */
export function knownLoadFields(wire: WirePolicy): readonly string[] {
  return LOAD_FIELDS.slice(0, Math.max(...wire.positionalFields));
}

/**
 * The topic of an envelope as text.
 *
 * @throws DecodeFailure, inside this room
 */
export function decodeTopic(bytes: Uint8Array, { start, end }: ByteRange): string {
  const topic = decodeUtf8(bytes.subarray(start, end));
  if (topic === undefined) throw new DecodeFailure('invalid-utf8', 'the topic is not valid UTF-8', start);
  return topic;
}

/** Where the fields of an `ActiveLoad` lie. */
export interface LoadSpans {
  readonly workerId: ValueSpan;
  readonly dpRank: ValueSpan;
  readonly activeDecodeBlocks: ValueSpan;
  readonly activePrefillTokens: ValueSpan;
  readonly kvUsedBlocks: ValueSpan;
}

/** What the walk through one envelope found, before its payload is looked at. */
export interface EnvelopeSpans {
  readonly publisherId: ValueSpan;
  readonly sequence: ValueSpan;
  readonly publishedAt: ValueSpan;
  readonly topic: ByteRange;
  readonly payload: ByteRange;
  /** The bytes of a payload that was written as an array of integers; `null`: it lies in the message. */
  readonly gathered: Uint8Array | null;
  /** The bytes of the message that carry values; all others make its shape. */
  readonly free: readonly FreeBytes[];
}

/** What the walk through one envelope and its payload found. */
export interface WalkedEnvelope extends EnvelopeSpans {
  /** `null`: the topic is not ours, the payload was not looked at. */
  readonly load: LoadSpans | null;
}

const ENVELOPE_FIELDS = ['publisher_id', 'sequence', 'published_at', 'topic', 'payload'] as const;
const envelopeShape = {
  name: 'the envelope',
  fields: ENVELOPE_FIELDS,
  required: ENVELOPE_FIELDS,
  lengths: [ENVELOPE_FIELDS.length],
};
const MAX_U32 = 0xffff_ffff;

/**
 * Walks one `EventEnvelope`: order-free, unknown keys passed over, bytes after the document ignored.
 *
 * @throws DecodeFailure, inside this room
 */
export function walkHead(bytes: Uint8Array, wire: WirePolicy): EnvelopeSpans {
  const reader = new MsgpackReader(bytes);
  const spans = [noSpan, noSpan, noSpan];
  let topic: ByteRange = { start: 0, end: 0 };
  let payload: ByteRange = topic;
  let gathered: Uint8Array | null = null;
  walkStruct(reader, envelopeShape, (field) => {
    if (field <= 2) spans[field] = reader.uint(ENVELOPE_FIELDS[field] ?? '');
    else if (field === 3) topic = reader.text('topic');
    else if (wire.payloadAsArray && isArrayMarker(bytes[reader.offset])) {
      const start = reader.offset;
      gathered = gatherPayload(reader);
      payload = { start, end: reader.offset };
    } else payload = payloadInPlace(reader, wire);
  });
  reader.finish();
  const [publisherId = noSpan, sequence = noSpan, publishedAt = noSpan] = spans;
  return { publisherId, sequence, publishedAt, topic, payload, gathered, free: reader.free };
}

/**
 * Walks what is inside of an `EventEnvelope`: the `ActiveLoad` when its topic is ours. After {@link walkHead}, this
 * is the reference form of the decoder.
 *
 * @throws DecodeFailure, inside this room
 */
export function walkPayload(bytes: Uint8Array, spans: EnvelopeSpans, wire: WirePolicy): WalkedEnvelope {
  const { payload, gathered } = spans;
  if (!isLoadTopic(bytes, spans)) {
    // A shape may be learned from what is returned here, so the topic is read now and never fails later.
    decodeTopic(bytes, spans.topic);
    return { ...spans, load: null, free: [...spans.free, { ...payload, fixed: 0 }] };
  }
  const inner =
    gathered === null ? new MsgpackReader(bytes, payload.start, payload.end) : new MsgpackReader(gathered);
  try {
    const load = walkLoad(inner, wire);
    return { ...spans, load, free: [...spans.free, ...inner.free] };
  } catch (failure) {
    if (gathered === null || !(failure instanceof DecodeFailure)) throw failure;
    throw new DecodeFailure(failure.code, `in the payload: ${failure.message}`, payload.start);
  }
}

/** Whether an envelope carries a load. */
export function isLoadTopic(bytes: Uint8Array, spans: EnvelopeSpans): boolean {
  return isText(bytes, spans.topic, LOAD_TOPIC);
}

function isArrayMarker(marker = 0): boolean {
  return (marker >= 0x90 && marker <= 0x9f) || marker === 0xdc || marker === 0xdd;
}

/** A payload that older receivers also accept: an array of integers, each one byte. */
function gatherPayload(reader: MsgpackReader): Uint8Array {
  const { size } = reader.structure('payload');
  if (size > reader.end - reader.offset)
    throw new DecodeFailure('truncated', 'the payload is cut off', reader.end);
  const gathered = new Uint8Array(size);
  for (let i = 0; i < size; i += 1) {
    const elementAt = reader.offset;
    const value = readSpan(reader.bytes, reader.uint('a byte of the payload'));
    if (value > 0xff)
      throw new DecodeFailure('out-of-range', 'a byte of the payload is above 255', elementAt);
    gathered[i] = Number(value);
  }
  return gathered;
}

/** A payload that lies in the message: binary in every release, a string in some. */
function payloadInPlace(reader: MsgpackReader, wire: WirePolicy): ByteRange {
  const at = reader.offset;
  const marker = reader.bytes[at] ?? 0;
  const isString = (marker >= 0xa0 && marker <= 0xbf) || (marker >= 0xd9 && marker <= 0xdb);
  if (isString && !wire.payloadAsString) {
    throw new DecodeFailure('wrong-type', 'payload must be binary, not a string, in this release', at);
  }
  return reader.text('payload');
}

/** Walks one `ActiveLoad`. */
function walkLoad(reader: MsgpackReader, wire: WirePolicy): LoadSpans {
  const spans: ValueSpan[] = [noSpan, noSpan, noSpan, noSpan, noSpan];
  const shape = {
    name: 'the load',
    fields: knownLoadFields(wire),
    required: ['worker_id'],
    lengths: wire.positionalFields,
  };
  walkStruct(reader, shape, (field) => {
    const at = reader.offset;
    const name = LOAD_FIELDS[field] ?? '';
    spans[field] = field <= 1 ? reader.uint(name) : reader.optionalUint(name);
    if (field === 1 && readSpan(reader.bytes, spans[1] ?? noSpan) > MAX_U32) {
      throw new DecodeFailure('out-of-range', 'dp_rank is above 2^32 − 1', at);
    }
  });
  reader.finish();
  const [workerId = noSpan, dpRank = noSpan, decode = noSpan, prefill = noSpan, used = noSpan] = spans;
  return {
    workerId,
    dpRank,
    activeDecodeBlocks: decode,
    activePrefillTokens: prefill,
    kvUsedBlocks: used,
  };
}
