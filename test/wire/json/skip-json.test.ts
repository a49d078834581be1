import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catchDecodeFailure } from '../../../src/wire/decode-error.js';
import { skipJson } from '../../../src/wire/json/skip-json.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const end = (text: string): number | 'broken' => {
  const result = catchDecodeFailure(() => skipJson(bytes(text), 0));
  return typeof result === 'number' ? result : 'broken';
};

describe('skipJson', () => {
  it('property - a value ends where it ends, whatever follows', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 5, stringUnit: 'binary' }),
        fc.constantFrom(undefined, 2, '\t'),
        fc.constantFrom('', ' ', ',1', '}', ']'),
        (value, indent, tail) => {
          const text = JSON.stringify(value, null, indent);
          expect(end(text + tail)).toBe(bytes(text).length);
        },
      ),
    );
  });

  it('property - rejects what the platform rejects, and truncated documents', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 3 }),
        fc.nat(),
        fc.constantFrom('', ',', ']', '}', '"', '\\', '0', 'x', ':', ' ', '-', '.', 'e'),
        (value, at, put) => {
          const text = JSON.stringify(value);
          const position = at % (text.length + 1);
          // It is called at the beginning of a value, so without white space before it.
          const bent = (text.slice(0, position) + put + text.slice(position + 1)).trimStart();
          const skipped = end(bent);
          if (skipped !== 'broken')
            expect(
              () => JSON.parse(Buffer.from(bent).subarray(0, skipped).toString()) as unknown,
            ).not.toThrow();
          else expect(() => JSON.parse(bent) as unknown).toThrow();
        },
      ),
    );
  });

  it.each([
    ['1e999', 5],
    [`${'['.repeat(5000)}${']'.repeat(5000)}`, 10_000],
    ['"\\ud800"', 8],
    ['{"a":[{}, [], {"b" : null}]}x', 28],
  ])('%# - is passed over', (text, length) => {
    expect(end(text)).toBe(length);
  });

  it('texts need not be UTF-8', () => {
    expect(skipJson(new Uint8Array([0x22, 0xff, 0xc0, 0x22]), 0)).toBe(4);
  });

  it.each([
    '',
    '[',
    '[1,]',
    '{,}',
    '{"a" 1}',
    '{"a":1,}',
    '[1 2]',
    '"',
    '"\\x"',
    '"\\u12g4"',
    '-',
    '1.',
    '01x',
    '"\t"',
    'nul',
    '[}',
  ])('%j - is malformed or truncated', (text) => {
    const skipped = end(text);
    expect(skipped === 'broken' || skipped < text.length).toBe(true);
  });
});
