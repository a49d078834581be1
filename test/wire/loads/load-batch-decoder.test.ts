import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TidemarkError } from '../../../src/core/errors.js';
import { batchEvents, type LoadBatch } from '../../../src/core/events/load-batch.js';
import type { LoadPolicy } from '../../../src/core/policy/load-policy.js';
import { policies } from '../../../src/core/policy/policies.js';
import { LoadBatchDecoder } from '../../../src/wire/loads/load-batch-decoder.js';
import { LoadDecoder } from '../../../src/wire/loads/load-decoder.js';
import { encodeActiveLoad, encodeEnvelope } from '../../../src/wire/loads/load-encoder.js';
import type { LoadHeader } from '../../../src/wire/loads/load-header.js';
import { anyMessage } from '../../support/any-message.js';
import { id } from '../../support/fleet.js';
import { hex } from '../../support/hex.js';
import { runs } from '../../support/runs.js';

describe('batch decoder', () => {
  it.each<LoadPolicy>(Object.values(policies))(
    'agrees with LoadDecoder on every input, under $name',
    (policy) => {
      const single = new LoadDecoder(policy);
      const batch = new LoadBatchDecoder(policy, 4);
      fc.assert(
        fc.property(anyMessage, (bytes) => {
          const expected = single.decode(bytes);
          const refusal = batch.add(bytes);
          expect(batch.header).toEqual(single.header);
          if (!('load' in expected)) {
            expect(refusal).toEqual(expected);
            return;
          }
          expect(refusal).toBeNull();
          const { publisherId, sequence, publishedAt, ...load } = expected.load;
          expect(numbersOf(batch.header)).toEqual(
            publisherId === undefined ? null : [publisherId, Number(sequence), Number(publishedAt)],
          );
          if (publisherId !== undefined) expect(rankOf(batch.header)).toEqual([load.workerId, load.dpRank]);
          expect(batchEvents(batch.batch).at(-1)).toEqual(load);
        }),
        { numRuns: Math.ceil(runs / Object.keys(policies).length) },
      );
    },
  );

  it('the header is present for a row, another topic and a broken payload only', () => {
    const decoder = new LoadBatchDecoder(policies.default);
    const head = { publisherId: '18446744073709551615', sequence: 2n ** 53n + 1n, publishedAt: 1 };
    const numbers = ['18446744073709551615', 2 ** 53, 1];
    const headAfter = (bytes: Uint8Array): [boolean, unknown] => [
      decoder.add(bytes) === null,
      numbersOf(decoder.header),
    ];
    const payload = hex('81a9776f726b65725f696407');
    expect(decoder.header.present).toBe(false);
    expect(headAfter(encodeEnvelope(head, payload))).toEqual([true, numbers]);
    expect(headAfter(hex('80'))).toEqual([false, null]);
    expect(headAfter(encodeEnvelope({ ...head, topic: 'x' }, payload))).toEqual([false, numbers]);
    expect(headAfter(new Uint8Array(0))).toEqual([false, null]);
    expect(decoder.header.hasLoad).toBe(false);
    expect(headAfter(encodeEnvelope(head, hex('c0')))).toEqual([false, numbers]);
    expect(decoder.header.hasLoad).toBe(false);
    expect(headAfter(new TextEncoder().encode('{}'))).toEqual([false, null]);
  });

  it('a batch that was taken shows its own loads or is refused, whatever the decoder does next', () => {
    const load = fc.record({
      worker: fc.integer({ min: 1, max: 3 }),
      blocks: fc.integer({ min: 0, max: 9 }),
    });
    const action = fc.oneof(load, fc.constantFrom('take', 'clear', 'setReceivedAt'));
    fc.assert(
      fc.property(fc.array(action, { maxLength: 30 }), (actions) => {
        const decoder = new LoadBatchDecoder(policies.default, 4);
        const taken: { readonly batch: LoadBatch; readonly shown: unknown }[] = [];
        for (const next of actions) {
          if (next === 'take') taken.push({ batch: decoder.batch, shown: shownBy(decoder.batch) });
          else if (next === 'clear') decoder.clear();
          else if (next === 'setReceivedAt') decoder.setReceivedAt(taken.length);
          else decoder.add(json(`{"worker_id":${next.worker},"kv_used_blocks":${next.blocks}}`));
          for (const { batch, shown } of taken)
            expect([shown, 'batch-expired']).toContainEqual(shownBy(batch));
        }
      }),
      { numRuns: Math.ceil(runs / 6) },
    );
  });

  it('every row has its own worker, also in the batch in which the table of workers reaches its limit', () => {
    const rows = 1000;
    const decoder = new LoadBatchDecoder(policies.default, rows);
    const load = { workerId: id(2 ** 40), dpRank: 0, activeDecodeBlocks: 1 };
    const payload = encodeActiveLoad({ ...load, activePrefillTokens: null, kvUsedBlocks: null }, 5);
    const message = Buffer.from(encodeEnvelope({ publisherId: '9', sequence: 0, publishedAt: 0 }, payload));
    const at = message.indexOf('0000010000000000', 0, 'hex') + 4;
    const wrong: unknown[] = [];
    for (let worker = 0; worker < 2 ** 20 + rows; worker += 1) {
      message.writeUInt32BE(worker, at);
      decoder.add(message);
      if (!decoder.full) continue;
      const first = worker + 1 - rows;
      wrong.push(...decoder.batch.workerIds.filter((found, row) => found !== id(2 ** 40 + first + row)));
      decoder.clear();
    }
    expect(wrong).toEqual([]);
  });

  it('a full batch - is cleared by the next load', () => {
    const decoder = new LoadBatchDecoder(policies.default, 2);
    const message = new TextEncoder().encode('{"worker_id":7,"active_decode_blocks":18446744073709551615}');
    expect([decoder.add(message), decoder.add(message), decoder.full]).toEqual([null, null, true]);
    decoder.add(message);
    expect(decoder.batch.count).toBe(1);
    expect(batchEvents(decoder.batch)[0]?.activeDecodeBlocks).toBe(18446744073709551615n);
    decoder.clear();
    expect([decoder.batch.count, decoder.batch.wide.size]).toEqual([0, 0]);
  });
});

const json = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Everything that a batch shows, or the code of its refusal. */
function shownBy(batch: LoadBatch): unknown {
  try {
    const { receivedAt, workerIds, kvUsedBlocks } = batch;
    return [receivedAt, [...workerIds], [...kvUsedBlocks], batchEvents(batch)];
  } catch (error) {
    return (error as TidemarkError).code;
  }
}

function rankOf({ hasLoad, workerHigh, workerLow, dpRank }: LoadHeader): [string, number] | null {
  const id = (BigInt(workerHigh >>> 0) << 32n) | BigInt(workerLow >>> 0);
  return hasLoad ? [String(id), dpRank] : null;
}

function numbersOf(head: LoadHeader): [string, number, number] | null {
  const { present, publisherHigh, publisherLow, sequence, publishedAt } = head;
  if (!present) return null;
  const id = (BigInt(publisherHigh >>> 0) << 32n) | BigInt(publisherLow >>> 0);
  return [String(id), sequence, publishedAt];
}
