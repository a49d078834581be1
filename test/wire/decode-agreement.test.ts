import { decodeMulti } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LoadPolicy } from '../../src/core/policy/load-policy.js';
import { policies } from '../../src/core/policy/policies.js';
import { LoadDecoder, type DecodedLoad } from '../../src/wire/loads/load-decoder.js';
import { anyMessage, seeds } from '../support/any-message.js';
import { runs } from '../support/runs.js';

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

  it('agree with @msgpack/msgpack wherever it can decode', () => {
    let compared = 0;
    fc.assert(
      fc.property(anyMessage, (bytes) => {
        const ours = new LoadDecoder(policies.default).decode(bytes);
        const theirs = libraryView(bytes);
        if ('load' in ours && theirs !== undefined) {
          compared += 1;
          expect(valuesOf(ours)).toEqual(theirs);
        }
      }),
      { numRuns: runs },
    );
    expect(compared).toBeGreaterThan(runs / 20);
  });

  it('never throw, and every error has a code, a reason, and a place inside the message', () => {
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
function libraryView(bytes: Uint8Array): unknown {
  try {
    const outer = first(bytes);
    if (!(outer['payload'] instanceof Uint8Array)) return undefined;
    const inner = first(outer['payload']);
    if (inner['worker_id'] === undefined) return undefined;
    // The library accepts overlong UTF-8 sequences, and so finds names that are not valid.
    const names = [...Object.keys(outer), ...Object.keys(inner)];
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

function first(bytes: Uint8Array): Record<string, unknown> {
  for (const document of decodeMulti(bytes, { useBigInt64: true })) {
    if (typeof document === 'object' && document !== null) return document as Record<string, unknown>;
    break;
  }
  throw new Error('no map');
}
