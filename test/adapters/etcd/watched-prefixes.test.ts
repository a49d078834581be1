import { describe, expect, it } from 'vitest';
import { watchedPrefixes } from '../../../src/adapters/etcd/watched-prefixes.js';

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
    expect(watchedPrefixes(given)).toEqual(watched);
  });

  it('none is an error', () => {
    expect(() => watchedPrefixes([])).toThrow("prefixes must name at least one; '' is all keys.");
  });
});
