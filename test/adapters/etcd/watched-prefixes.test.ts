import { describe, expect, it } from 'vitest';
import { normalizePrefixes } from '../../../src/adapters/etcd/watch-prefix.js';

describe('watchedPrefixes', () => {
  it.each([
    ['v1/', ['v1/']],
    [
      ['a/', 'b/'],
      ['a/', 'b/'],
    ],
    [
      ['a/b/', 'a/', 'a/', 'c'],
      ['a/', 'c'],
    ],
    [['', 'a/'], ['']],
  ])('%j are %j', (given, watched) => {
    expect(normalizePrefixes(given)).toEqual(watched);
  });

  it('an empty list is an error', () => {
    expect(() => normalizePrefixes([])).toThrow(
      "prefixes must contain at least one prefix; '' means all keys.",
    );
  });
});
