import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareWorkerIds,
  workerId,
  workerIdFromBigInt,
  workerIdFromHex,
  WorkerIdError,
} from '../../src/core/worker-id.js';

describe('WorkerId', () => {
  it.each(['0', '7', '9007199254740993', '18446744073709551615'])('%s - is valid', (text) => {
    expect(workerId(text)).toBe(text);
  });

  it.each([
    '',
    '-1',
    '+1',
    '01',
    ' 1',
    '1 ',
    '1.0',
    '1e3',
    '0x1',
    '18446744073709551616',
    '99999999999999999999',
    '١',
  ])('%j - is none', (text) => {
    expect(() => workerId(text)).toThrow(WorkerIdError);
    expect(() => workerId(text)).toThrow(/unsigned 64-bit integer/);
  });

  it('hex - either case, no more than 64 bits', () => {
    expect(workerIdFromHex('694d988806b92e39')).toBe('7587888657184927289');
    expect(workerIdFromHex('694D988806B92E39')).toBe('7587888657184927289');
    expect(workerIdFromHex('0')).toBe('0');
    for (const bad of ['', 'g', '0x1', '10000000000000000', '-1'])
      expect(() => workerIdFromHex(bad)).toThrow(WorkerIdError);
  });

  it('numbers - only whole and safe ones', () => {
    expect(workerIdFromBigInt(2n ** 64n - 1n)).toBe('18446744073709551615');
    for (const bad of [-1, 1.5, NaN, 2 ** 53, -1n, 2n ** 64n])
      expect(() => workerIdFromBigInt(bad)).toThrow(WorkerIdError);
  });

  it('order - is numeric, for all pairs', () => {
    const u64 = fc.bigInt(0n, 2n ** 64n - 1n);
    fc.assert(
      fc.property(u64, u64, (a, b) => {
        const order = compareWorkerIds(workerIdFromBigInt(a), workerIdFromBigInt(b));
        expect(Math.sign(order)).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });
});
