import { describe, expect, it } from 'vitest';
import { firstDifference } from '../../../src/testing/marble/run/compare-output.js';
import { canonicalText, valueText } from '../../../src/testing/marble/value-text.js';
import { parseJsonValue } from '../../../src/wire/json/json-value.js';

describe('valueText', () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  it.each([
    [{ b: 1, a: [true, null, 'x"'] }, '{"b":1,"a":[true,null,"x\\""]}'],
    [18446744073709551615n, '18446744073709551615'],
    [-0, '0'],
    [new Map([['k', new Set([1, 2])]]), '{"k":[1,2]}'],
    [new Map([[1, 2]]), '{[number]:2}'],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
    [Object.assign(new TypeError('no'), { code: 'E' }), '{"name":"TypeError","message":"no","code":"E"}'],
    [{ a: undefined, b: 1 }, '{"b":1}'],
    [undefined, 'undefined'],
    [NaN, 'NaN'],
    [[Infinity], '[Infinity]'],
    [() => 1, '[function]'],
    [Symbol('x'), '[symbol]'],
    [cycle, '{"self":[cycle]}'],
  ])('%# gives %s', (value, text) => {
    expect(valueText(value)).toBe(text);
  });

  it('a value that JSON cannot represent is not valid JSON', () => {
    for (const value of [undefined, NaN, () => 1, cycle, new Map([[1, 2]])])
      expect(parseJsonValue(valueText(value))).toHaveProperty('error');
  });

  it('canonicalText - equal for equal values, at all depths', () => {
    expect(canonicalText({ b: [{ d: 1, c: 2 }], a: 1 })).toBe(canonicalText({ a: 1, b: [{ c: 2, d: 1 }] }));
    expect(canonicalText([1, 2])).not.toBe(canonicalText([2, 1]));
    expect(canonicalText('1')).not.toBe(canonicalText(1));
    expect(canonicalText(9007199254740993n)).not.toBe(canonicalText(9007199254740992));
    expect(canonicalText(5n)).toBe(canonicalText(5));
  });
});

describe('firstDifference', () => {
  it.each([
    ['{"a":[1,{"b":2}]}', '{"a":[1,{"b":3}]}', '.a[1].b is 3, not 2'],
    ['{"a":1}', '{}', '.a is missing'],
    ['{}', '{"a":1}', '.a is 1, not absent'],
    ['{"a":[]}', '{"a":{}}', '.a is {}, not []'],
    ['{"a":9007199254740993}', '{"a":9007199254740992}', '.a is 9007199254740992, not 9007199254740993'],
    ['1', '2', ''],
    ['[]', '{}', ''],
    ['{"a":1}', 'undefined', ''],
  ])('%s and %s', (expected, actual, text) => {
    expect(firstDifference(expected, actual)).toBe(text);
  });
});
