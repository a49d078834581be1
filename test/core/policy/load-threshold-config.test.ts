import { describe, expect, it } from 'vitest';
import { LoadThresholdConfig, ThresholdError } from '../../../src/core/policy/load-threshold-config.js';
import { policies } from '../../../src/core/policy/policies.js';

const defaults = (name: keyof typeof policies): LoadThresholdConfig =>
  LoadThresholdConfig.defaults(policies[name]);

describe('LoadThresholdConfig', () => {
  it('defaults - on up to 1.1, off from 1.4', () => {
    expect(
      Object.keys(policies).map((name) => defaults(name as keyof typeof policies).isConfigured()),
    ).toEqual([true, true, true, false, false, false]);
  });

  it('isConfigured - one threshold is enough', () => {
    expect(defaults('default').set({ activeDecodeBlocksThreshold: 0.85 }).isConfigured()).toBe(true);
    expect(defaults('default').set({ activePrefillTokensThreshold: 10_000 }).isConfigured()).toBe(true);
    expect(defaults('default').set({ activePrefillTokensThresholdFrac: 0.9 }).isConfigured()).toBe(true);
    expect(defaults('default').set({ activePrefillTokensThreshold: 0 }).isConfigured()).toBe(true);
  });

  it('update - changes what is given and nothing else; an unchanged config is the same object', () => {
    const one = defaults('default').update({
      activeDecodeBlocksThreshold: 0.5,
      activePrefillTokensThreshold: 7,
    });
    const two = one.update({ activePrefillTokensThreshold: 8, activeDecodeBlocksThreshold: undefined });
    expect(two).toMatchObject({ activeDecodeBlocksThreshold: 0.5, activePrefillTokensThreshold: 8 });
    expect(two.update({})).toBe(two);
    expect(two.update({ activePrefillTokensThreshold: 8 })).toBe(two);
    const nan = two.update({ activeDecodeBlocksThreshold: NaN });
    expect(nan.update({ activeDecodeBlocksThreshold: NaN })).toBe(nan);
  });

  it('null - turns a check off by default, changes nothing in Dynamo', () => {
    const off = { activePrefillTokensThreshold: null };
    expect(defaults('default').set({ activePrefillTokensThreshold: 5 }).set(off).isConfigured()).toBe(false);
    expect(
      defaults('dynamo-1.6').set({ activePrefillTokensThreshold: 5 }).set(off).activePrefillTokensThreshold,
    ).toBe(5);
  });

  it('quantisation - up to 1.0 as Rust casts, exact afterwards', () => {
    const stored: [number, number][] = [
      [0.57, 0.5699],
      [0.85, 0.85],
      [0.29, 0.29],
      [0.9, 0.9],
      [1.5, 1.5],
      [64, 64],
      [-1, 0],
      [NaN, 0],
      [1e9, 429496.7295],
      [Infinity, 429496.7295],
      [0.00009, 0],
    ];
    for (const [set, kept] of stored) {
      expect(
        defaults('dynamo-1.0').update({ activePrefillTokensThresholdFrac: set })
          .activePrefillTokensThresholdFrac,
      ).toBe(kept);
      expect(
        defaults('dynamo-1.1').update({ activePrefillTokensThresholdFrac: set })
          .activePrefillTokensThresholdFrac,
      ).toBe(set);
    }
  });

  it.each([0, 0.85, 1])('decode fraction %f - is accepted', (fraction) => {
    expect(defaults('dynamo-1.6').set({ activeDecodeBlocksThreshold: fraction }).isConfigured()).toBe(true);
  });

  it.each([-0.1, 1.1, NaN, Infinity])(
    'decode fraction %f - is refused, and the sentence names it',
    (fraction) => {
      expect(() => defaults('dynamo-1.6').set({ activeDecodeBlocksThreshold: fraction })).toThrow(
        /active_decode_blocks_threshold must be between 0\.0 and 1\.0, got/,
      );
    },
  );

  it.each([0, 0.9, 64])('prefill fraction %f - is accepted', (fraction) => {
    expect(defaults('dynamo-1.6').set({ activePrefillTokensThresholdFrac: fraction }).isConfigured()).toBe(
      true,
    );
  });

  it.each([-0.1, NaN, Infinity])('prefill fraction %f - is refused', (fraction) => {
    expect(() => defaults('dynamo-1.6').set({ activePrefillTokensThresholdFrac: fraction })).toThrow(
      /active_prefill_tokens_threshold_frac must be a finite value greater than or equal to 0\.0, got (-0\.1|NaN|inf)/,
    );
  });

  it.each([-1, 1.5, NaN, 2 ** 53, -1n, 2n ** 64n])('tokens %s - are refused', (tokens) => {
    expect(() => defaults('default').set({ activePrefillTokensThreshold: tokens })).toThrow(ThresholdError);
  });

  it('validation - all problems at once by default, the first in 1.6, none in 1.0', () => {
    const bad = {
      activeDecodeBlocksThreshold: 2,
      activePrefillTokensThreshold: -1,
      activePrefillTokensThresholdFrac: -1,
    };
    const problems = (name: keyof typeof policies): number => {
      try {
        defaults(name).set(bad);
        return 0;
      } catch (error) {
        expect(error).toMatchObject({ code: 'threshold-out-of-range' });
        return (error as ThresholdError).problems.length;
      }
    };
    expect([problems('default'), problems('dynamo-1.6'), problems('dynamo-1.0')]).toEqual([3, 1, 0]);
  });
});
