import { from, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { kvHitRate, type KvHitRate, type KvHitRateEvent } from '../../src/core/aggregator/kv-hit-rate.js';
import { decodeKvHitRateEvent, KV_HIT_RATE_TOPIC } from '../../src/wire/decode-kv-hit-rate.js';
import { loadSubject } from '../../src/wire/loads/subjects.js';

const decode = (text: string): ReturnType<typeof decodeKvHitRateEvent> =>
  decodeKvHitRateEvent(new TextEncoder().encode(text));

describe('KVHitRateEvent', () => {
  it('comes on the namespace', () => {
    expect(loadSubject({ namespace: 'dynamo' }, KV_HIT_RATE_TOPIC)).toBe('namespace.dynamo.kv-hit-rate');
  });

  it.each([
    ['{"worker_id":7587888657184927289,"isl_blocks":8,"overlap_blocks":2}', 0],
    ['{"overlap_blocks":2,"dp_rank":3,"isl_blocks":8,"worker_id":7587888657184927289,"more":{}}', 3],
    ['[7587888657184927289,8,2]', 0],
    ['[7587888657184927289,3,8,2]', 3],
  ])('%s', (text, dpRank) => {
    const event = { workerId: '7587888657184927289', dpRank, islBlocks: 8, overlapBlocks: 2 };
    expect(decode(text)).toEqual({ event });
  });

  it.each([
    ['', 'empty'],
    ['{"worker_id":7,"isl_blocks":8}', 'missing-field'],
    ['{"worker_id":-7,"isl_blocks":8,"overlap_blocks":2}', 'out-of-range'],
    ['{"worker_id":7,"isl_blocks":8.0,"overlap_blocks":2}', 'wrong-type'],
    ['{"worker_id":7,"isl_blocks":8,"overlap_blocks":2,"isl_blocks":8}', 'duplicate-key'],
    ['{"worker_id":7,"dp_rank":null,"isl_blocks":8,"overlap_blocks":2}', 'wrong-type'],
    ['[1,2]', 'wrong-length'],
  ])('%s - %s', (text, code) => {
    expect(decode(text)).toMatchObject({ error: { code } });
  });
});

describe('kvHitRate', () => {
  const rates = (...events: Pick<KvHitRateEvent, 'islBlocks' | 'overlapBlocks'>[]): KvHitRate[] => {
    let all: KvHitRate[] = [];
    from(events.map((event) => ({ workerId: '7' as KvHitRateEvent['workerId'], dpRank: 0, ...event })))
      .pipe(kvHitRate(), toArray())
      .subscribe((values) => (all = values));
    return all;
  };

  it('sums before it divides, has no rate before the first block, and keeps every digit', () => {
    expect(
      rates(
        { islBlocks: 0, overlapBlocks: 0 },
        { islBlocks: 8, overlapBlocks: 2 },
        { islBlocks: 2, overlapBlocks: 2 },
        { islBlocks: 2n ** 64n - 1n, overlapBlocks: 0 },
      ),
    ).toEqual([
      { islBlocks: 0, overlapBlocks: 0, hitRate: null },
      { islBlocks: 8, overlapBlocks: 2, hitRate: 0.25 },
      { islBlocks: 10, overlapBlocks: 4, hitRate: 0.4 },
      { islBlocks: 2n ** 64n + 9n, overlapBlocks: 4, hitRate: 4 / 2 ** 64 },
    ]);
  });
});
