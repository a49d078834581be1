import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catchDecodeFailure } from '../../src/wire/decode-error.js';
import { decodeSegment, encodeSegment } from '../../src/wire/text-codecs.js';

describe('percent encoding', () => {
  it.each([
    ['generate', 'generate'],
    ['my-ns_1', 'my-ns_1'],
    ['ns.one', 'ns%2Eone'],
    ['worker/*', 'worker%2F%2A'],
    ['generate.>', 'generate%2E%3E'],
    ['a b%', 'a%20b%25'],
    ["!~'()", '%21%7E%27%28%29'],
    ['größe', 'gr%C3%B6%C3%9Fe'],
    ['🌊', '%F0%9F%8C%8A'],
    ['\n', '%0A'],
    ['', ''],
  ])('percent encoding - %j is written as %s and read back', (name, segment) => {
    expect(encodeSegment(name)).toBe(segment);
    expect(decodeSegment(segment)).toBe(name);
  });

  it('percent encoding - decoding gives back every well-formed name, and only safe characters are used', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const segment = encodeSegment(name);
        expect(segment).toMatch(/^(?:[A-Za-z0-9_-]|%[0-9A-F]{2})*$/);
        expect(decodeSegment(segment)).toBe(name);
      }),
    );
  });

  it('percent encoding - an unpaired surrogate is written as the replacement character', () => {
    expect(decodeSegment(encodeSegment('a\ud800b'))).toBe('a\ufffdb');
  });

  it('percent encoding - lower-case digits and needless escapes are read', () => {
    expect(decodeSegment('ns%2eone%2Fkv%5Fmetrics%2d')).toBe('ns.one/kv_metrics-');
  });

  it.each([
    ['%', 'malformed', 0],
    ['abc%2', 'malformed', 3],
    ['%41%G0', 'malformed', 3],
    ['%%41', 'malformed', 0],
    ['a%FF', 'invalid-utf8', 1],
    ['%C3', 'invalid-utf8', 0],
    ['%C0%80', 'invalid-utf8', 0],
    ['%ED%A0%80', 'invalid-utf8', 0],
  ])('percent encoding - %s is a failure (%s at %i)', (segment, code, offset) => {
    expect(catchDecodeFailure(() => decodeSegment(segment))).toMatchObject({ error: { code, offset } });
  });
});
