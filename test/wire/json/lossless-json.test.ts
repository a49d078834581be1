import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catchDecodeFailure, DecodeFailure } from '../../../src/wire/decode-error.js';
import { type JsonNode, parseLosslessJson } from '../../../src/wire/json/lossless-json.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const parse = (text: string): JsonNode => parseLosslessJson(bytes(text));

/** What `JSON.parse` would have made of the node. */
function valueOf(node: JsonNode): unknown {
  switch (node.kind) {
    case 'null':
      return null;
    case 'number':
      return Number(node.text);
    case 'array':
      return node.items.map(valueOf);
    case 'object':
      return Object.fromEntries(node.members.map(({ key, value }) => [key, valueOf(value)]));
    default:
      return node.value;
  }
}

function* nodesOf(node: JsonNode): Generator<JsonNode> {
  yield node;
  if (node.kind === 'array') for (const item of node.items) yield* nodesOf(item);
  if (node.kind === 'object') for (const { value } of node.members) yield* nodesOf(value);
}

/** Documents with white space in all places, escapes of every kind and numbers of any length. */
const documents: fc.Arbitrary<string> = fc.letrec<{ document: string }>((tie) => {
  const space = fc.stringMatching(/^[ \t\r\n]{0,2}$/);
  const spaced = (text: fc.Arbitrary<string>) => fc.tuple(space, text, space).map((parts) => parts.join(''));
  const text = fc
    .array(
      fc.oneof(
        fc.string({ unit: 'binary' }).map((s) => JSON.stringify(s).slice(1, -1)),
        fc.constantFrom('\\u00e9', '\\ud83c\\udf0a', '\\/', '\\b', '\\"', '\\\\', '\\uD800', '__proto__'),
      ),
      { maxLength: 4 },
    )
    .map((parts) => `"${parts.join('')}"`);
  const number = fc.stringMatching(/^-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?$/);
  const list = (open: string, item: fc.Arbitrary<string>, close: string) =>
    fc.oneof(
      space.map((inside) => open + inside + close),
      fc.array(spaced(item), { minLength: 1, maxLength: 4 }).map((items) => open + items.join(',') + close),
    );
  const member = fc
    .tuple(text, space, space, tie('document'))
    .map(([key, a, b, value]) => `${key}${a}:${b}${value}`);
  return {
    document: fc.oneof(
      { maxDepth: 5, depthSize: 'small' },
      fc.constantFrom('null', 'true', 'false'),
      number,
      text,
      list('[', tie('document'), ']'),
      list('{', member, '}'),
    ),
  };
}).document;

describe('lossless JSON', () => {
  it('lossless JSON - the value is that of JSON.parse', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 6, stringUnit: 'binary' }),
        fc.constantFrom(undefined, 2, '\t'),
        (value, indent) => {
          const text = JSON.stringify(value, null, indent);
          expect(JSON.stringify(valueOf(parse(text)))).toBe(JSON.stringify(JSON.parse(text)));
        },
      ),
    );
  });

  it('lossless JSON - the value is that of JSON.parse for every way to write it', () => {
    fc.assert(
      fc.property(documents, (text) => {
        expect(JSON.stringify(valueOf(parse(text)))).toBe(JSON.stringify(JSON.parse(text)));
      }),
      { numRuns: 500 },
    );
  });

  it('lossless JSON - every node knows the byte where it begins', () => {
    const first = { null: 'n', boolean: 'tf', string: '"', array: '[', object: '{', number: '-0123456789' };
    fc.assert(
      fc.property(documents, (text) => {
        const document = bytes(text);
        let last = -1;
        for (const node of nodesOf(parse(text))) {
          expect(first[node.kind]).toContain(String.fromCharCode(document[node.offset] ?? 0));
          expect(node.offset).toBeGreaterThan(last);
          last = node.offset;
          if (node.kind === 'number') {
            expect(
              Buffer.from(document).toString('latin1', node.offset, node.offset + node.text.length),
            ).toBe(node.text);
          }
          if (node.kind === 'object') {
            for (const { key, offset } of node.members) expect(document[offset], key).toBe(0x22);
          }
        }
      }),
    );
  });

  it('lossless JSON - offsets are counted in bytes', () => {
    expect(parse(' {"é": [1, "🌊", -2] }')).toEqual({
      kind: 'object',
      offset: 1,
      members: [
        {
          key: 'é',
          offset: 2,
          value: {
            kind: 'array',
            offset: 8,
            items: [
              { kind: 'number', offset: 9, text: '1' },
              { kind: 'string', offset: 12, value: '🌊' },
              { kind: 'number', offset: 20, text: '-2' },
            ],
          },
        },
      ],
    });
  });

  it.each([
    '7587888657184927289',
    '18446744073709551615',
    '18446744073709551616',
    '-0',
    '1.0',
    '1E400',
    '0.1e-7',
    `1${'0'.repeat(399)}`,
  ])('lossless JSON - the number %s keeps its text', (text) => {
    expect(parse(text)).toEqual({ kind: 'number', offset: 0, text });
  });

  it('lossless JSON - duplicate keys are kept in order', () => {
    const node = parse('{"b":1,"a":2,"b":3,"__proto__":4,"1":5}');
    expect(node.kind === 'object' && node.members.map(({ key }) => key)).toEqual([
      'b',
      'a',
      'b',
      '__proto__',
      '1',
    ]);
  });

  it('lossless JSON - a byte order mark in a string stays', () => {
    expect(parse('"\ufeffa"')).toEqual({ kind: 'string', offset: 0, value: '\ufeffa' });
  });

  it('lossless JSON - escapes are resolved in keys and strings', () => {
    expect(parse(String.raw`{"\u0061\/":"\"\\\b\f\n\r\t\uD83C\uDF0A"}`)).toMatchObject({
      members: [{ key: 'a/', value: { value: '"\\\b\f\n\r\t🌊' } }],
    });
  });

  it.each([
    ['', 'empty', 0],
    [' \n\t\r', 'empty', 0],
    ['{', 'truncated', 1],
    ['[1,', 'truncated', 3],
    ['[1', 'truncated', 2],
    ['{"a"', 'truncated', 4],
    ['{"a":', 'truncated', 5],
    ['{"a":1', 'truncated', 6],
    ['"abc', 'truncated', 4],
    ['"abc\\', 'truncated', 5],
    ['"abc\\"', 'truncated', 6],
    ['tru', 'truncated', 3],
    ['nul', 'truncated', 3],
    ['[1 2]', 'malformed', 3],
    ['[1,]', 'malformed', 3],
    ['[,1]', 'malformed', 1],
    ['{"a":1,}', 'malformed', 7],
    ['{a:1}', 'malformed', 1],
    ["{'a':1}", 'malformed', 1],
    ['{"a" 1}', 'malformed', 5],
    ['{1:1}', 'malformed', 1],
    ['[1}', 'malformed', 2],
    ['trux', 'malformed', 3],
    ['True', 'malformed', 0],
    ['NaN', 'malformed', 0],
    ['Infinity', 'malformed', 0],
    ['undefined', 'malformed', 0],
    ['01', 'malformed', 0],
    ['+1', 'malformed', 0],
    ['.5', 'malformed', 0],
    ['1.x', 'malformed', 0],
    ['[1e]', 'malformed', 1],
    ['[--1]', 'malformed', 1],
    ['[1-2]', 'malformed', 1],
    [`1${'0'.repeat(4096)}`, 'malformed', 0],
    ['/* */ 1', 'malformed', 0],
    ['"a\nb"', 'malformed', 2],
    ['"\u0000"', 'malformed', 1],
    ['"\u001f"', 'malformed', 1],
    ['["\\x41"]', 'malformed', 1],
    ['["\\u12"]', 'malformed', 1],
    ['\ufeff{}', 'malformed', 0],
    ['\u00a0{}', 'malformed', 0],
    ['{} {}', 'trailing', 3],
    ['1 2', 'trailing', 2],
    ['[]]', 'trailing', 2],
    ['nulll', 'trailing', 4],
    ['"a""b"', 'trailing', 3],
  ])('lossless JSON - %j is %s at %i', (text, code, offset) => {
    expect(catchDecodeFailure(() => parse(text))).toMatchObject({ error: { code, offset } });
  });

  it.each([
    ['a byte that begins nothing', [0x22, 0xff, 0x22], 0],
    ['a character cut short', [0x5b, 0x22, 0xc3, 0x22, 0x5d], 1],
    ['an overlong form', [0x22, 0xc0, 0x80, 0x22], 0],
    ['a surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22], 0],
    ['a key', [0x7b, 0x22, 0xf0, 0x9f, 0x22, 0x3a, 0x31, 0x7d], 1],
  ])('lossless JSON - a string is not valid UTF-8: %s', (_, document, offset) => {
    expect(catchDecodeFailure(() => parseLosslessJson(Uint8Array.from(document)))).toMatchObject({
      error: { code: 'invalid-utf8', offset },
    });
  });

  it('lossless JSON - 128 levels are read, more are not', () => {
    const nested = (open: string, close: string, levels: number): string =>
      `${open.repeat(levels)}1${close.repeat(levels)}`;
    expect(parse(nested('[', ']', 128)).kind).toBe('array');
    expect(parse(nested('{"a":', '}', 128)).kind).toBe('object');
    expect(catchDecodeFailure(() => parse(nested('[', ']', 129)))).toMatchObject({
      error: { code: 'too-deep', offset: 128 },
    });
    expect(catchDecodeFailure(() => parse(nested('{"a":', '}', 129)))).toMatchObject({
      error: { code: 'too-deep', offset: 640 },
    });
    expect(catchDecodeFailure(() => parse('['.repeat(1e5)))).toMatchObject({
      error: { code: 'too-deep', offset: 128 },
    });
  });

  it('lossless JSON - any bytes are a document or a failure, and a document as for JSON.parse', () => {
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const agrees = (document: Uint8Array): void => {
      let ours: JsonNode | undefined;
      try {
        ours = parseLosslessJson(document);
      } catch (failure) {
        expect(failure).toBeInstanceOf(DecodeFailure);
        expect((failure as DecodeFailure).offset).toBeGreaterThanOrEqual(0);
        expect((failure as DecodeFailure).offset).toBeLessThanOrEqual(document.length);
      }
      let theirs: { value: unknown } | undefined;
      try {
        theirs = { value: JSON.parse(strict.decode(document)) };
      } catch {
        theirs = undefined;
      }
      expect(ours !== undefined).toBe(theirs !== undefined);
      if (ours !== undefined) expect(JSON.stringify(valueOf(ours))).toBe(JSON.stringify(theirs?.value));
    };
    const noise = fc.constantFrom(
      ...bytes('[]{}",:\\u0123456789eE+-.truefalsn \n').values(),
      0x00,
      0x80,
      0xc3,
      0xff,
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), agrees), { numRuns: 500 });
    fc.assert(
      fc.property(fc.array(noise, { maxLength: 12 }), (junk) => agrees(Uint8Array.from(junk))),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(
        documents,
        fc.nat(),
        fc.nat(2),
        fc.array(noise, { maxLength: 2 }),
        (text, at, drop, insert) => {
          const document = [...bytes(text)];
          document.splice(at % (document.length + 1), drop, ...insert);
          agrees(Uint8Array.from(document));
        },
      ),
      { numRuns: 2000 },
    );
  });
});
