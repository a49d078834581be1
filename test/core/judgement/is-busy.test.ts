import { describe, expect, it } from 'vitest';
import { isBusy } from '../../../src/core/judgement/is-busy.js';
import type { LoadPolicy } from '../../../src/core/policy/load-policy.js';
import { LoadThresholdConfig } from '../../../src/core/policy/load-threshold-config.js';
import { policies } from '../../../src/core/policy/policies.js';
import { ranksOf, type Letters } from '../../support/ranks.js';

type Thresholds = readonly [decode: number | undefined, tokens?: number | undefined, frac?: number];
const MAX_TOKENS = 10_000_000;

function busy(
  ranks: readonly Letters[],
  thresholds: Thresholds,
  policy: LoadPolicy,
  declared: [number, number] | null = null,
): boolean {
  const [activeDecodeBlocksThreshold, activePrefillTokensThreshold, activePrefillTokensThresholdFrac] =
    thresholds;
  const config = LoadThresholdConfig.defaults(policy).update({
    activeDecodeBlocksThreshold,
    activePrefillTokensThreshold,
    activePrefillTokensThresholdFrac,
  });
  const range = declared && { start: declared[0], end: declared[1] };
  return isBusy(ranksOf(ranks, range), config, policy);
}

// The reference page on wire facts, §13.1; thresholds (0.85, 10 000 000, 1.5) unless given.
const usual: Thresholds = [0.85, MAX_TOKENS, 1.5];
const table: [row: number, ranks: Letters[], thresholds: Thresholds, expected: boolean][] = [
  [1, [], usual, false],
  [2, [{ K: 100 }], usual, false],
  [3, [{ B: 85, K: 100 }], usual, false],
  [4, [{ B: 86, K: 100 }], usual, true],
  [5, [{ B: 86, K: 0 }], usual, false],
  [6, [{ B: 86 }], usual, false],
  [
    7,
    [
      { B: 86, K: 100 },
      { B: 10, K: 100 },
    ],
    usual,
    false,
  ],
  [
    8,
    [
      { B: 86, K: 100 },
      { B: 99, K: 100 },
    ],
    usual,
    true,
  ],
  [9, [{ B: 86, K: 100 }, { K: 100 }], usual, true],
  [10, [{ T: 1000 }], [0.85, 1000, 1.5], false],
  [11, [{ T: 1001 }], [0.85, 1000, 1.5], true],
  [12, [{ T: 0 }], [0.85, 0, 1.5], false],
  [13, [{ T: 1 }], [0.85, 0, 1.5], true],
  [14, [{ T: 1501, M: 1000 }], usual, true],
  [15, [{ T: 1500, M: 1000 }], usual, false],
  [16, [{ T: 15_000_001 }], [0.85, 2 ** 53, 1.5], true],
  [17, [{ T: 10_000_001 }], [undefined], true],
  [18, [{ B: 100, K: 100 }], [1], false],
  [19, [{ B: 101, K: 100 }], [1], true],
  [20, [{ T: 2000 }, { B: 99, K: 100 }], [0.85, 1000, 1.5], true],
  [21, [{ T: 334, M: 1000 }], [0.85, MAX_TOKENS, 0.3335], true],
  [22, [{ B: 1, K: 100 }], [0], true],
];

describe('isBusy - conformance rows of 1.0', () => {
  it.each(table)('row %i', (_, ranks, thresholds, expected) => {
    expect(busy(ranks, thresholds, policies['dynamo-1.0'])).toBe(expected);
  });

  it('0.8 has no fraction: rows 14, 16 and 21 are free', () => {
    for (const [row, ranks, thresholds] of table.filter(([row]) => [14, 16, 21].includes(row))) {
      const [decode, tokens] = thresholds;
      expect(
        busy(ranks, [decode, tokens === MAX_TOKENS ? 2 ** 53 : tokens, 0.1], policies['dynamo-0.8']),
        `row ${row}`,
      ).toBe(false);
    }
  });
});

describe('isBusy - cells', () => {
  const ours = policies.default;

  it('blocks are compared in binary64: 29 of 100 exceeds 0.29', () => {
    expect(busy([{ B: 29, K: 100 }], [0.29], policies['dynamo-1.6'])).toBe(true);
  });

  it('tokens are compared exactly, also above 2^53', () => {
    const thresholds = LoadThresholdConfig.defaults(ours).update({
      activePrefillTokensThreshold: 9007199254740993n,
    });
    const worker = (T: bigint): boolean => isBusy(ranksOf([{ T }]), thresholds, ours);
    expect([worker(9007199254740993n), worker(9007199254740994n)]).toEqual([false, true]);
  });

  it('declared ranks are judged, silent ones are free, however many', () => {
    expect(busy([{ T: 11 }], [undefined, 10], ours, [0, 1])).toBe(true);
    expect(busy([{ T: 11 }], [undefined, 10], ours, [0, 2])).toBe(false);
    expect(busy([{ T: 11 }], [undefined, 10], ours, [0, 4_000_000_000])).toBe(false);
    expect(busy([{ T: 11 }], [undefined, 10], { ...ours, rollUp: 'any' }, [0, 4_000_000_000])).toBe(true);
    expect(busy([{ T: 11 }], [undefined, 10], policies['dynamo-1.4'], [0, 2])).toBe(true);
  });

  it('at least k means min(k, ranks judged)', () => {
    const atLeast: LoadPolicy = { ...ours, rollUp: { atLeast: 2 } };
    expect(busy([{ T: 11 }], [undefined, 10], atLeast)).toBe(true);
    expect(busy([{ T: 11 }, { T: 1 }], [undefined, 10], atLeast)).toBe(false);
    expect(busy([{ T: 11 }, { T: 11 }, { T: 1 }], [undefined, 10], atLeast)).toBe(true);
  });

  it('signals - used wins by default, is not seen by 1.0, and either counts in 1.4', () => {
    const both: Letters[] = [{ B: 90, U: 10, K: 100 }];
    expect(busy(both, [0.6], ours)).toBe(false);
    expect(busy(both, [0.6], policies['dynamo-1.0'])).toBe(true);
    expect(busy(both, [0.6], policies['dynamo-1.4'])).toBe(true);
    expect(busy([{ U: 90, K: 100 }], [0.6], policies['dynamo-1.0'])).toBe(false);
  });

  it('without thresholds no worker is busy', () => {
    expect(busy([{ B: 99, U: 99, K: 100, T: 2n ** 63n, M: 1000 }], [undefined], ours)).toBe(false);
  });

  it('no value is above a NaN threshold, and every value is above a negative one', () => {
    expect(busy([{ B: 99, K: 100, T: 5 }], [NaN, undefined, NaN], policies['dynamo-1.6'])).toBe(true);
    expect(busy([{ B: 99, K: 100 }], [NaN], policies['dynamo-1.6'])).toBe(false);
    expect(busy([{ B: 0, K: 100 }], [-1], policies['dynamo-1.6'])).toBe(true);
  });
});
