import { describe, expect, it } from 'vitest';
import { classifySequence, MAX_LATE_MS, MAX_LATE_NUMBERS } from '../../../src/dynamo/loads/publisher-runs.js';

describe('a running number', () => {
  it.each([
    ['the next', 10, 0, 11, 0, 'next'],
    ['the next, however the clock runs', 10, 5000, 11, 0, 'next'],
    ['one left out', 10, 0, 12, 0, 'gap'],
    ['the same again', 10, 0, 10, 0, 'late'],
    ['0 twice', 0, 7, 0, 7, 'late'],
    ['a lower one', 10, 0, 4, 0, 'late'],
    ['a lower one of almost the same time', 10, 0, 4, MAX_LATE_MS, 'late'],
    ['a lower one, published later', 10, 0, 4, MAX_LATE_MS + 1, 'restart'],
    ['the same one, published later', 10, 0, 10, MAX_LATE_MS + 1, 'restart'],
    ['a little below', 2000, 0, 2000 - MAX_LATE_NUMBERS, 0, 'late'],
    ['far below', 2000, 0, 2000 - MAX_LATE_NUMBERS - 1, 0, 'restart'],
    ['0 again', 1, 0, 0, 0, 'restart'],
    ['0 again, by a clock that went back', 1, 9999, 0, 0, 'restart'],
    ['above 2^53, where neighbours are one number', 2 ** 60, 0, 2 ** 60, 0, 'next'],
  ])('%s', (_, last, lastAt, sequence, at, verdict) => {
    expect(classifySequence(last, lastAt, sequence, at)).toBe(verdict);
  });
});
