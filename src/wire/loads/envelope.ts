import { MAX_U32 } from '../../core/count.js';
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

/** The topic of load messages (Dynamo's `KV_METRICS_SUBJECT`), with an underscore. */
export const LOAD_TOPIC = 'kv_metrics';

/** The fields of an `ActiveLoad` in wire order. The last exists since release 1.1; older policies ignore it. */
export const LOAD_FIELDS = [
  'worker_id',
  'dp_rank',
  'active_decode_blocks',
  'active_prefill_tokens',
  'kv_used_blocks',
] as const;

/** The fields that a release knows: as many as its longest array form has elements. */
export function knownLoadFields(wire: WirePolicy): readonly string[] {
  return LOAD_FIELDS.slice(0, Math.max(...wire.positionalFields));
}

/**
 * Decodes the topic of an envelope.
 *
 * @throws DecodeFailure (internal to wire/)
 */
export function decodeTopic(bytes: Uint8Array, { start, end }: ByteRange): string {
  const topic = decodeUtf8(bytes.subarray(start, end));
  if (topic === undefined) throw new DecodeFailure('invalid-utf8', 'the topic is not valid UTF-8', start);
  return topic;
}

/** The positions of the fields of an `ActiveLoad`. */
export interface LoadSpans {
  readonly workerId: ValueSpan;
  readonly dpRank: ValueSpan;
  readonly activeDecodeBlocks: ValueSpan;
  readonly activePrefillTokens: ValueSpan;
  readonly kvUsedBlocks: ValueSpan;
}

/** The positions of the fields of an envelope whose payload is not decoded yet. */
export interface EnvelopeSpans {
  readonly publisherId: ValueSpan;
  readonly sequence: ValueSpan;
  readonly publishedAt: ValueSpan;
  readonly topic: ByteRange;
  readonly payload: ByteRange;
  /** The bytes of a payload that was written as an array of integers; `null`: the payload is part of the message. */
  readonly gathered: Uint8Array | null;
  /** The bytes that carry values; all other bytes form the shape of the message. */
  readonly free: readonly FreeBytes[];
}

/** The positions of the fields of an envelope and of the load in its payload. */
export interface WalkedEnvelope extends EnvelopeSpans {
  /** `null`: the envelope has another topic, and its payload was not decoded. */
  readonly load: LoadSpans | null;
}

const ENVELOPE_FIELDS = ['publisher_id', 'sequence', 'published_at', 'topic', 'payload'] as const;
const envelopeShape = {
  name: 'the envelope',
  fields: ENVELOPE_FIELDS,
  required: ENVELOPE_FIELDS,
  lengths: [ENVELOPE_FIELDS.length],
};

/**
 * Walks one `EventEnvelope`. Keys may be in any order; unknown keys and bytes after the document are ignored.
 *
 * @throws DecodeFailure (internal to wire/)
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
 * Walks the payload of an `EventEnvelope` if it carries an `ActiveLoad`. Together with {@link walkHead} it is the
 * reference form of the decoder.
 *
 * @throws DecodeFailure (internal to wire/)
 */
export function walkPayload(bytes: Uint8Array, spans: EnvelopeSpans, wire: WirePolicy): WalkedEnvelope {
  const { payload, gathered } = spans;
  if (!isLoadTopic(bytes, spans)) {
    // The result may be learned as a shape, so an invalid topic must fail now.
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

/** Whether an envelope has the topic of loads. */
export function isLoadTopic(bytes: Uint8Array, spans: EnvelopeSpans): boolean {
  return isText(bytes, spans.topic, LOAD_TOPIC);
}

function isArrayMarker(marker = 0): boolean {
  return (marker >= 0x90 && marker <= 0x9f) || marker === 0xdc || marker === 0xdd;
}

/** Reads a payload in the form of an array of integers, one per byte, which older receivers also accept. */
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

/** Reads a payload that is part of the message: binary in every release, a string in some. */
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
