import { deepStrictEqual } from 'node:assert';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inspectCustom, type InspectArguments, jsonReady, printAs } from '../../src/core/ordinary-value.js';

const number = fc.oneof(
  fc.maxSafeInteger(),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
  fc.constantFrom(NaN, Infinity, -Infinity),
);

/** What `JSON.parse` must give for a number. */
const inJson = (value: number | bigint): unknown =>
  typeof value === 'bigint' || !Number.isFinite(value) ? String(value) : Object.is(value, -0) ? 0 : value;

describe('jsonReady', () => {
  it('a record - JSON keeps every number, and nothing else can be seen', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('a', 'b', 'c'), number, { noNullPrototype: true }),
        (record) => {
          const [copy, ready] = [{ ...record }, jsonReady(record)];
          expect(ready).toBe(record);
          const expected = Object.fromEntries(Object.entries(copy).map(([key, n]) => [key, inJson(n)]));
          expect(JSON.parse(JSON.stringify([ready]))).toEqual([expected]);
          deepStrictEqual(ready, copy);
          expect(ready).toStrictEqual(copy);
          expect(inspect(ready)).toBe(inspect(copy));
          expect(Object.keys(ready)).toEqual(Object.keys(copy));
        },
      ),
    );
  });

  it('a record that JSON can hold gets no method', () => {
    expect(jsonReady({ a: 1, b: null, c: '2' })).not.toHaveProperty('toJSON');
    expect(jsonReady({ a: 2n ** 53n })).toHaveProperty('toJSON');
  });

  it('only the given numbers are looked at, so no getter is called before JSON is made', () => {
    const text = {
      count: 2n ** 60n,
      reads: 0,
      get late() {
        this.reads += 1;
        return 'late';
      },
    };
    jsonReady(text, [text.count]);
    expect(text.reads).toBe(0);
    expect(JSON.parse(JSON.stringify(text))).toMatchObject({ count: '1152921504606846976', late: 'late' });
  });

  it('a Map is an object, a Set an array, with what is inside them', () => {
    const map = jsonReady(new Map([['7', { blocks: [2n ** 60n], ids: new Set(['8']) }]]));
    expect(JSON.stringify({ map })).toBe('{"map":{"7":{"blocks":["1152921504606846976"],"ids":["8"]}}}');
    expect(JSON.stringify(jsonReady(new Set(['7', 8n])))).toBe('["7","8"]');
    deepStrictEqual(map, new Map([['7', { blocks: [2n ** 60n], ids: new Set(['8']) }]]));
    expect(map).toStrictEqual(new Map([['7', { blocks: [2n ** 60n], ids: new Set(['8']) }]]));
  });
});

describe('printAs', () => {
  const printed = (contents: object) => ({
    [inspectCustom]: (...args: InspectArguments) => printAs('Name', contents, args),
  });

  it('a record with its name, a Set with its name and size', () => {
    expect(inspect(printed({ a: 1 }))).toBe('Name { a: 1 }');
    expect(inspect(printed(new Set(['Set'])))).toBe("Name(1) { 'Set' }");
    expect(inspect(printed(new Set()))).toBe('Name(0) {}');
  });

  it('deep inside - only its name', () => {
    expect(inspect([[[printed({ a: 1 })]]])).toBe('[ [ [ [Name] ] ] ]');
    for (const depth of [Infinity, null])
      expect(inspect([[[printed({ a: [[[1]]] })]]], { depth })).toContain('a: [ [ [ 1 ] ] ]');
  });
});
