import type { WirePolicy } from '../core/load-policy.js';
import { DecodeFailure } from './decode-error.js';
import { LOAD_FIELDS, knownLoadFields } from './load-fields.js';
import { LOAD_TOPIC } from './load-topic.js';
import { MsgpackReader, noSpan, type ByteRange, type FreeBytes, type ValueSpan } from './msgpack-reader.js';
import { isText, walkStruct } from './msgpack-struct.js';
import { spanValue } from './span-value.js';

/** Where the fields of an `ActiveLoad` lie. */
export interface LoadSpans {
  readonly workerId: ValueSpan;
  readonly dpRank: ValueSpan;
  readonly activeDecodeBlocks: ValueSpan;
  readonly activePrefillTokens: ValueSpan;
  readonly kvUsedBlocks: ValueSpan;
}

/** What the walk through one envelope found. */
export interface WalkedEnvelope {
  readonly publisherId: ValueSpan;
  readonly sequence: ValueSpan;
  readonly publishedAt: ValueSpan;
  readonly topic: ByteRange;
  /** `null`: the topic is not ours, the payload was not looked at. */
  readonly load: LoadSpans | null;
  /** The bytes of a payload that was written as an array of integers; `null`: it lies in the message. */
  readonly gathered: Uint8Array | null;
  /** The bytes of the message that carry values; all others make its shape. */
  readonly free: readonly FreeBytes[];
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
 * Walks one `EventEnvelope` and, when its topic is ours, the `ActiveLoad` inside: order-free, unknown keys passed
 * over, bytes after either document ignored. This is the reference form of the decoder.
 *
 * @throws DecodeFailure, inside this room
 */
export function walkEnvelope(bytes: Uint8Array, wire: WirePolicy): WalkedEnvelope {
  const reader = new MsgpackReader(bytes);
  const spans = [noSpan, noSpan, noSpan];
  let topic: ByteRange = { start: 0, end: 0 };
  let payload: ByteRange | Uint8Array = { start: 0, end: 0 };
  let payloadAt = 0;
  walkStruct(reader, envelopeShape, (field) => {
    if (field <= 2) spans[field] = reader.uint(ENVELOPE_FIELDS[field] ?? '');
    else if (field === 3) topic = reader.text('topic');
    else {
      payloadAt = reader.offset;
      payload = readPayload(reader, wire);
    }
  });
  reader.finish();
  const [publisherId = noSpan, sequence = noSpan, publishedAt = noSpan] = spans;
  const gathered = payload instanceof Uint8Array ? payload : null;
  const range: ByteRange = payload instanceof Uint8Array ? { start: 0, end: payload.length } : payload;
  const walked = { publisherId, sequence, publishedAt, topic, gathered };
  if (!isText(bytes, topic, LOAD_TOPIC)) {
    return { ...walked, load: null, free: [...reader.free, { ...range, fixed: 0 }] };
  }
  const inner = new MsgpackReader(gathered ?? bytes, range.start, range.end);
  try {
    const load = walkLoad(inner, wire);
    return { ...walked, load, free: [...reader.free, ...inner.free] };
  } catch (failure) {
    if (gathered === null || !(failure instanceof DecodeFailure)) throw failure;
    throw new DecodeFailure(failure.code, `in the payload: ${failure.message}`, payloadAt);
  }
}

/** The payload: binary in every release, a string in some, an array of integers in others. */
function readPayload(reader: MsgpackReader, wire: WirePolicy): ByteRange | Uint8Array {
  const at = reader.offset;
  const marker = reader.bytes[at] ?? 0;
  const isArray = (marker >= 0x90 && marker <= 0x9f) || marker === 0xdc || marker === 0xdd;
  if (isArray && wire.payloadAsArray) {
    const { size } = reader.structure('payload');
    if (size > reader.end - reader.offset) throw new DecodeFailure('truncated', 'the payload is cut off', reader.end);
    const gathered = new Uint8Array(size);
    for (let i = 0; i < size; i += 1) {
      const elementAt = reader.offset;
      const value = spanValue(reader.bytes, reader.uint('a byte of the payload'));
      if (value > 0xff) throw new DecodeFailure('out-of-range', 'a byte of the payload is above 255', elementAt);
      gathered[i] = Number(value);
    }
    return gathered;
  }
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
    if (field === 1 && spanValue(reader.bytes, spans[1] ?? noSpan) > MAX_U32) {
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
