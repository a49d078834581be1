import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LoadPolicy } from '../../src/core/load-policy.js';
import { batchEvents } from '../../src/core/load-monitor/batch-events.js';
import { policies } from '../../src/core/policies.js';
import { LoadBatchDecoder } from '../../src/wire/load-batch-decoder.js';
import { LoadDecoder } from '../../src/wire/load-decoder.js';
import { anyMessage } from '../support/any-message.js';
import { runs } from '../support/runs.js';

describe('batch decoder', () => {
  it.each<LoadPolicy>(Object.values(policies))(
    'decides as the one by one does, on every input, under $name',
    (policy) => {
      const single = new LoadDecoder(policy);
      const batch = new LoadBatchDecoder(policy, 4);
      fc.assert(
        fc.property(anyMessage, (bytes) => {
          const expected = single.decode(bytes);
          const refusal = batch.add(bytes);
          if (!('load' in expected)) {
            expect(refusal).toEqual(expected);
            return;
          }
          expect(refusal).toBeNull();
          // A batch does not say who published.
          const { publisherId, sequence, publishedAt, ...load } = expected.load;
          void [publisherId, sequence, publishedAt];
          expect(batchEvents(batch.batch).at(-1)).toEqual(load);
        }),
        { numRuns: Math.ceil(runs / Object.keys(policies).length) },
      );
    },
  );

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
