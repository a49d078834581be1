import fc from 'fast-check';
import { workerId } from '../../src/core/worker-id.js';
import type { LOAD_FIELDS } from '../../src/wire/loads/envelope.js';
import { encodeActiveLoad, encodeEnvelope } from '../../src/wire/loads/load-encoder.js';
import { capturedMessages } from '../wire/captures.js';
import { anyStruct, binary, text, uint } from './any-struct.js';
import { hex } from './hex.js';
import { envelopeVectors, loadVectors } from './vectors.js';

const u64 = fc.oneof(fc.bigInt(0n, 127n), fc.bigInt(0n, 2n ** 32n), fc.bigInt(0n, 2n ** 64n - 1n));
const count = fc.option(u64.map((value) => (value <= 9007199254740991n ? Number(value) : value)));
const load = fc.record({
  workerId: u64.map((id) => workerId(String(id))),
  dpRank: fc.oneof(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 0xffff_ffff })),
  activeDecodeBlocks: count,
  activePrefillTokens: count,
  kvUsedBlocks: count,
});
const topic = fc.constantFrom(undefined, 'kv_metrics', 'kv-events', 'x');
/** A well-formed envelope. */
const anyEnvelope = fc
  .record({
    load,
    topic,
    fields: fc.constantFrom(4 as const, 5 as const),
    publisherId: u64.map(String),
    sequence: u64,
    publishedAt: u64,
  })
  .map(({ load, topic, fields, ...head }) =>
    encodeEnvelope({ ...head, ...(topic !== undefined && { topic }) }, encodeActiveLoad(load, fields)),
  );

const optional = fc.oneof({ weight: 4, arbitrary: uint(u64) }, fc.constant([0xc0]));
const keyedLoad = anyStruct({
  worker_id: uint(u64),
  dp_rank: uint(fc.bigInt(0n, 8n)),
  active_decode_blocks: optional,
  active_prefill_tokens: optional,
  kv_used_blocks: optional,
} satisfies Record<(typeof LOAD_FIELDS)[number], unknown>);
/** An envelope and its load as maps whose keys are written in every way that serde reads, some in a way that it refuses. */
export const anyKeyedMessage = anyStruct({
  publisher_id: uint(u64),
  sequence: uint(u64),
  published_at: uint(u64),
  topic: topic.chain((name = 'kv_metrics') => text(name)),
  payload: keyedLoad.map(binary),
}).map((bytes) => Uint8Array.from(bytes));

/** Real messages: vectors and captures. */
export const seeds = [
  ...Object.values(envelopeVectors).map((vector) => hex(vector.head_hex + loadVectors[vector.payload].hex)),
  ...capturedMessages().map(({ payload }) => payload),
];
/** A captured or made message with a few bytes changed, inserted, removed, or truncated. */
const mutated = fc
  .tuple(
    fc.oneof(fc.constantFrom(...seeds), anyEnvelope, anyKeyedMessage),
    fc.array(
      fc.record({
        at: fc.nat(),
        byte: fc.integer({ min: 0, max: 255 }),
        how: fc.constantFrom('set', 'insert', 'remove', 'cut'),
      }),
      { maxLength: 4 },
    ),
  )
  .map(([bytes, changes]) => {
    const out = [...bytes];
    for (const { at, byte, how } of changes) {
      const index = out.length === 0 ? 0 : at % out.length;
      if (how === 'set') out[index] = byte;
      else if (how === 'insert') out.splice(index, 0, byte);
      else if (how === 'remove') out.splice(index, 1);
      else out.length = Math.min(out.length, index + 1);
    }
    return Uint8Array.from(out);
  });
/** Any bytes, most of them nearly a message. */
export const anyMessage = fc.oneof(
  { weight: 4, arbitrary: mutated },
  { weight: 2, arbitrary: anyEnvelope },
  { weight: 3, arbitrary: anyKeyedMessage },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
);
