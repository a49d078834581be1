import { deepStrictEqual, notDeepStrictEqual } from 'node:assert';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkThresholds,
  LoadThresholdConfig,
  ThresholdError,
  thresholdProblems,
} from '../../../src/core/policy/load-threshold-config.js';
import { thresholdNames } from '../../../src/core/policy/load-thresholds.js';
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

const everyPolicy = Object.values(policies);

/** Passes a value of any type, as JavaScript and JSON do. */
const asChange = (value: unknown): Parameters<typeof thresholdProblems>[0] => value as object;

describe('a change whose form is wrong', () => {
  const wrongValue = fc.oneof(
    fc.string(),
    fc.boolean(),
    fc.constantFrom({}, [], [0.5], Symbol('x'), () => 0.5, new Date(0)),
  );

  it('a value that is no number - is refused under every policy, with its name', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...thresholdNames),
        wrongValue,
        fc.constantFrom(...everyPolicy),
        (name, value, policy) => {
          const change = asChange({ [name]: value });
          expect(thresholdProblems(change, policy)).toEqual([
            expect.stringMatching(new RegExp(`^${name} must be a number or null, not `)),
          ]);
          expect(() => checkThresholds(change, policy)).toThrow(ThresholdError);
          expect(() => LoadThresholdConfig.defaults(policy).set(change)).toThrow(ThresholdError);
        },
      ),
    );
  });

  it('a text - is shown', () => {
    expect(thresholdProblems(asChange({ activeDecodeBlocksThreshold: '0.5' }), policies.default)).toEqual([
      'activeDecodeBlocksThreshold must be a number or null, not the text "0.5"',
    ]);
    expect(() =>
      LoadThresholdConfig.defaults(policies['dynamo-1.0']).set(
        asChange({ activeDecodeBlocksThreshold: '0.5' }),
      ),
    ).toThrow('activeDecodeBlocksThreshold must be a number or null, not the text "0.5".');
  });

  it('a bigint - is a number of tokens, but no fraction', () => {
    for (const policy of everyPolicy) {
      expect(thresholdProblems({ activePrefillTokensThreshold: 2n ** 60n }, policy)).toEqual([]);
      for (const name of ['activeDecodeBlocksThreshold', 'activePrefillTokensThresholdFrac'])
        expect(thresholdProblems(asChange({ [name]: 1n }), policy)).toEqual([
          `${name} must be a number or null, not 1n`,
        ]);
    }
  });

  it('an unknown name - is refused under every policy, also without a value, with the nearest name', () => {
    fc.assert(
      fc.property(
        fc.string().filter((name) => !(thresholdNames as readonly string[]).includes(name)),
        fc.constantFrom(...everyPolicy),
        fc.constantFrom(0.5, null, undefined),
        (name, policy, value) => {
          // Own, also when it is __proto__.
          const change = asChange(Object.fromEntries([[name, value]]));
          const problems = thresholdProblems(change, policy);
          expect(problems).toEqual([
            expect.stringContaining('is not the name of a threshold; the nearest name is '),
          ]);
          expect(() => checkThresholds(change, policy)).toThrow(ThresholdError);
        },
      ),
    );
  });

  it.each([
    ['activeDecodeBlockThreshold', 'activeDecodeBlocksThreshold'],
    ['active_decode_blocks_threshold', 'activeDecodeBlocksThreshold'],
    ['ActivePrefillTokensThreshold', 'activePrefillTokensThreshold'],
    ['--active-prefill-tokens-threshold-frac', 'activePrefillTokensThresholdFrac'],
    ['activePrefillTokensThresholdFraction', 'activePrefillTokensThresholdFrac'],
  ])('%s - the nearest name is %s', (name, nearest) => {
    expect(thresholdProblems(asChange({ [name]: 1 }), policies.default)).toEqual([
      `${JSON.stringify(name)} is not the name of a threshold; the nearest name is ${nearest}`,
    ]);
  });

  it.each([
    null,
    undefined,
    '0.5',
    0.5,
    true,
    [],
    [['activeDecodeBlocksThreshold', 1]],
    new Map(),
    () => ({}),
  ])('%# is no record - is refused under every policy', (change) => {
    for (const policy of everyPolicy) {
      expect(thresholdProblems(asChange(change), policy)).toEqual([
        expect.stringMatching(/^a change of thresholds must be an object with activeDecodeBlocksThreshold, /),
      ]);
      expect(() => LoadThresholdConfig.defaults(policy).set(asChange(change))).toThrow(ThresholdError);
    }
  });

  it('the policy decides how many problems are reported', () => {
    const change = asChange({ a: 1, activeDecodeBlocksThreshold: 'x' });
    const counts = everyPolicy.map((policy) => thresholdProblems(change, policy).length);
    expect(counts).toEqual(
      everyPolicy.map((policy) => (policy.thresholdValidation === 'first-problem' ? 1 : 2)),
    );
  });

  it('a config is a change, and so is every change of numbers under a policy that does not validate', () => {
    for (const policy of everyPolicy) {
      const config = LoadThresholdConfig.defaults(policy);
      expect(config.set(config)).toBe(config);
    }
    expect(thresholdProblems({ activeDecodeBlocksThreshold: NaN }, policies['dynamo-1.0'])).toEqual([]);
  });

  it('default thresholds of an own policy - are validated too', () => {
    const defaultThresholds = { ...policies.default.defaultThresholds, activeDecodeBlocksThreshold: '1' };
    const own = { ...policies.default, defaultThresholds: asChange(defaultThresholds) as never };
    expect(() => LoadThresholdConfig.defaults(own)).toThrow(ThresholdError);
  });
});

describe('a config as a value', () => {
  const fraction = fc.oneof(fc.double(), fc.constant(null));
  const thresholds = fc.record({
    activeDecodeBlocksThreshold: fraction,
    activePrefillTokensThreshold: fc.constantFrom(null, 0, 5, 2n ** 53n, 2n ** 64n - 1n),
    activePrefillTokensThresholdFrac: fraction,
  });
  // A policy that keeps fractions exactly, and one whose null turns a check off.
  const exact = policies.default;

  it('is deep-equal exactly when the three thresholds are equal, whatever the policy', () => {
    fc.assert(
      fc.property(thresholds, thresholds, (one, other) => {
        const a = LoadThresholdConfig.defaults(exact).update(one);
        const b = LoadThresholdConfig.defaults({ ...exact, name: 'own', judgedOn: [] }).update(one);
        deepStrictEqual(a, b);
        expect(a).toStrictEqual(b);
        const c = LoadThresholdConfig.defaults(exact).update(other);
        if (a.equals(c)) deepStrictEqual(a, c);
        else {
          notDeepStrictEqual(a, c);
          expect(a).not.toEqual(c);
        }
      }),
    );
  });

  it('has the three thresholds in JSON, with text for what JSON numbers cannot hold', () => {
    fc.assert(
      fc.property(thresholds, (given) => {
        const config = LoadThresholdConfig.defaults(exact).update(given);
        const expected = Object.entries(given).map(([name, value]) => [
          name,
          typeof value === 'bigint' || (value !== null && !Number.isFinite(value)) ? String(value) : value,
        ]);
        expect(JSON.stringify(config)).toBe(JSON.stringify(Object.fromEntries(expected)));
      }),
    );
  });

  it('is printed as the three thresholds', () => {
    expect(
      inspect(LoadThresholdConfig.defaults(exact).set({ activePrefillTokensThreshold: 2n ** 60n })),
    ).toBe(
      'LoadThresholdConfig {\n' +
        '  activeDecodeBlocksThreshold: null,\n' +
        '  activePrefillTokensThreshold: 1152921504606846976n,\n' +
        '  activePrefillTokensThresholdFrac: null\n' +
        '}',
    );
  });
});
