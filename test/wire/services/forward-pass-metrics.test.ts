import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ForwardPassMetrics } from '../../../src/core/aggregator/load-metrics.js';
import { countOf } from '../../../src/core/count.js';
import { parseSingle } from '../../../src/wire/json/rust-json.js';
import {
  decodeForwardPassMetrics,
  encodeForwardPassMetrics,
} from '../../../src/wire/services/forward-pass-metrics.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const count = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(countOf);
const u32 = fc.option(fc.nat(0xffff_ffff));
const single = fc.float({ noNaN: true, noDefaultInfinity: true });
const workerStats = fc.record({
  dataParallelRank: u32,
  requestActiveSlots: count,
  requestTotalSlots: count,
  numRequestsWaiting: count,
});
const kvStats = fc.record({
  kvActiveBlocks: count,
  kvTotalBlocks: count,
  gpuCacheUsagePerc: single,
  gpuPrefixCacheHitRate: single,
});
const metrics: fc.Arbitrary<ForwardPassMetrics> = fc.record({
  workerStats,
  kvStats,
  specDecodeStats: fc.option(
    fc.record({
      numSpecTokens: u32,
      numDrafts: u32,
      numDraftTokens: u32,
      numAcceptedTokens: u32,
      numAcceptedTokensPerPos: fc.option(fc.array(fc.nat(0xffff_ffff), { maxLength: 4 })),
    }),
  ),
});

describe('ForwardPassMetrics', () => {
  it('property - what is written is read again, in both forms', () => {
    fc.assert(
      fc.property(metrics, (value) => {
        expect(decodeForwardPassMetrics(bytes(encodeForwardPassMetrics(value)))).toEqual({ metrics: value });
        const flat = { ...value, specDecodeStats: null };
        expect(decodeForwardPassMetrics(bytes(encodeForwardPassMetrics(flat, 'flat')))).toEqual({
          metrics: flat,
        });
      }),
    );
  });

  const flat =
    '{"request_active_slots":1,"request_total_slots":8,"kv_active_blocks":40,"kv_total_blocks":100,' +
    '"num_requests_waiting":0,"gpu_cache_usage_perc":0.25,"gpu_prefix_cache_hit_rate":0.5}';
  it('flat - of 0.1 without a rank, of 0.3 with one', () => {
    expect(decodeForwardPassMetrics(bytes(flat))).toMatchObject({
      metrics: { workerStats: { dataParallelRank: null }, kvStats: { kvActiveBlocks: 40 } },
    });
    expect(decodeForwardPassMetrics(bytes(flat.replace('{', '{"data_parallel_rank":3,')))).toMatchObject({
      metrics: { workerStats: { dataParallelRank: 3 } },
    });
    expect(decodeForwardPassMetrics(bytes(flat), ['nested'])).toMatchObject({
      error: { code: 'missing-field', message: 'worker_stats is missing' },
    });
  });

  it.each([
    ['', 'empty'],
    ['{', 'truncated'],
    ['[]', 'wrong-length'],
    ['7', 'wrong-type'],
    [flat.replace('40', '40.0'), 'wrong-type'],
    [flat.replace('40', '-1'), 'out-of-range'],
    [flat.replace('40', '18446744073709551616'), 'out-of-range'],
    [flat.replace('0.25', 'null'), 'wrong-type'],
    [flat.replace('{', '{"data_parallel_rank":4294967296,'), 'out-of-range'],
  ])('%s - %s', (text, code) => {
    expect(decodeForwardPassMetrics(bytes(text))).toMatchObject({ error: { code } });
  });
});

describe('singleOf - as rustc rounds', () => {
  it.each([
    ['0.1', 0.10000000149011612],
    ['-0.0', -0],
    ['1e300', Infinity],
    ['16777217', 16777216],
    ['16777219', 16777220],
    // Just above the middle: through binary64 it would be the even neighbour below.
    ['1152921573326323713', 1152921642045800448],
    ['-1152921573326323713', -1152921642045800448],
    ['1152921573326323712', 1152921504606846976],
    ['18446744073709551615', 18446744073709551616],
    ['-9223372036854775808', -9223372036854775808],
  ])('%s is %d', (text, single) => {
    expect(parseSingle(text)).toBe(single);
  });
});
