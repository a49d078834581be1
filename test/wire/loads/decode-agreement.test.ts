import { decodeMulti } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LoadPolicy } from '../../../src/core/policy/load-policy.js';
import { policies } from '../../../src/core/policy/policies.js';
import { LOAD_FIELDS } from '../../../src/wire/loads/envelope.js';
import { LoadDecoder, type DecodedLoad } from '../../../src/wire/loads/load-decoder.js';
import { anyKeyedMessage, anyMessage, seeds } from '../../support/any-message.js';
import { runs } from '../../support/runs.js';

const ENVELOPE_FIELDS = ['publisher_id', 'sequence', 'published_at', 'topic', 'payload'] as const;

describe('decoders', () => {
  it.each<LoadPolicy>(Object.values(policies))(
    'fast and walked form agree on every input under $name',
    (policy) => {
      const learned = new LoadDecoder(policy);
      for (const seed of seeds) learned.decode(seed);
      fc.assert(
        fc.property(anyMessage, (bytes) => {
          // A decoder without memory can only walk.
          const walked = new LoadDecoder(policy).decode(bytes);
          expect(learned.decode(bytes)).toEqual(walked);
          expect(learned.decode(bytes)).toEqual(walked);
        }),
        { numRuns: Math.ceil(runs / Object.keys(policies).length) },
      );
      if (policy.wire.formats.includes('envelope')) expect(learned.fast).toBeGreaterThan(learned.walked / 10);
    },
  );

  it.each([
    ['agree with @msgpack/msgpack wherever it can decode', anyMessage],
    ['agree with @msgpack/msgpack on fields by name and by index', anyKeyedMessage],
  ])('%s', (_, messages) => {
    let compared = 0;
    fc.assert(
      fc.property(messages, (bytes) => {
        const ours = new LoadDecoder(policies.default).decode(bytes);
        const theirs = decodeWithLibrary(bytes);
        if ('load' in ours && theirs !== undefined) {
          compared += 1;
          expect(valuesOf(ours)).toEqual(theirs);
        }
      }),
      { numRuns: runs },
    );
    expect(compared).toBeGreaterThan(runs / 20);
  });

  it('never throw, and every error has a code, a reason, and an offset inside the message', () => {
    const decoders = Object.values(policies).map((policy) => new LoadDecoder(policy));
    fc.assert(
      fc.property(anyMessage, (bytes) => {
        for (const decoder of decoders) {
          const decoded = decoder.decode(bytes);
          if (!('error' in decoded)) continue;
          expect(decoded.error.code).toMatch(/^[a-z0-9-]+$/);
          expect(decoded.error.message.length).toBeGreaterThan(5);
          expect(decoded.error.offset).toBeGreaterThanOrEqual(0);
          expect(decoded.error.offset).toBeLessThanOrEqual(bytes.length);
        }
      }),
      { numRuns: Math.ceil(runs / 10) },
    );
  });
});

function valuesOf(decoded: DecodedLoad): unknown {
  if (!('load' in decoded)) return decoded;
  const {
    workerId: id,
    dpRank,
    activeDecodeBlocks,
    activePrefillTokens,
    kvUsedBlocks,
    publisherId,
  } = decoded.load;
  return [id, dpRank, activeDecodeBlocks, activePrefillTokens, kvUsedBlocks, publisherId].map(exact);
}

function exact(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : (value ?? null);
}

/** The result of the library for an envelope with a load as a map, or `undefined` if it cannot decode it. */
function decodeWithLibrary(bytes: Uint8Array): unknown {
  try {
    const documents = [first(bytes)];
    const outer = byName(documents[0] ?? {}, ENVELOPE_FIELDS);
    if (!(outer['payload'] instanceof Uint8Array)) return undefined;
    documents.push(first(outer['payload']));
    const inner = byName(documents[1] ?? {}, LOAD_FIELDS);
    if (inner['worker_id'] === undefined) return undefined;
    // The library accepts overlong UTF-8 sequences, and so finds names that are not valid.
    const names = documents.flatMap(Object.keys).filter((name) => !name.startsWith(BY_INDEX));
    if (names.some((name) => Buffer.from(bytes).indexOf(name, 0, 'latin1') === -1)) return undefined;
    const { worker_id, dp_rank = 0, active_decode_blocks, active_prefill_tokens, kv_used_blocks } = inner;
    return [
      worker_id,
      dp_rank,
      active_decode_blocks,
      active_prefill_tokens,
      kv_used_blocks,
      outer['publisher_id'],
    ]
      .map(exact)
      .map((value, i) => (i === 1 ? String(value) : value));
  } catch {
    return undefined;
  }
}

const BY_INDEX = 'the field with index ';

function mapKeyConverter(key: unknown): string {
  if (key instanceof Uint8Array) return Buffer.from(key).toString('latin1');
  return typeof key === 'number' || typeof key === 'bigint' ? `${BY_INDEX}${key}` : String(key);
}

/** The fields of a document, by name or by index. */
function byName(document: Record<string, unknown>, fields: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(fields.map((name, i) => [name, document[name] ?? document[`${BY_INDEX}${i}`]]));
}

function first(bytes: Uint8Array): Record<string, unknown> {
  for (const document of decodeMulti(bytes, { useBigInt64: true, mapKeyConverter })) {
    if (typeof document === 'object' && document !== null) return document as Record<string, unknown>;
    break;
  }
  throw new Error('no map');
}
