import { describe, expect, it } from 'vitest';
import { keyRange, rangeAfter } from '../../../src/adapters/etcd/grpc-link.js';

describe('keyRange', () => {
  it.each([
    ['v1/', 'v1/', 'v10'],
    ['a', 'a', 'b'],
    ['', '\0', '\0'],
  ])('%j', (prefix, key, end) => {
    expect(keyRange(prefix)).toEqual({ key: Buffer.from(key), range_end: Buffer.from(end) });
  });

  it('continues after a key', () => {
    expect(rangeAfter(keyRange('a'), Buffer.from('ab'))).toEqual({
      key: Buffer.from('ab\0'),
      range_end: Buffer.from('b'),
    });
  });
});
