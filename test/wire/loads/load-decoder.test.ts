import { describe, expect, it } from 'vitest';
import type { LoadPolicy } from '../../../src/core/policy/load-policy.js';
import { policies } from '../../../src/core/policy/policies.js';
import type { DecodeErrorCode } from '../../../src/wire/decode-error.js';
import { LoadDecoder, type DecodedLoad } from '../../../src/wire/loads/load-decoder.js';
import { hex } from '../../support/hex.js';
import { envelopeVectors, loadVectors } from '../../support/vectors.js';

const A = loadVectors.A.hex;
const head =
  '85ac7075626c69736865725f696407a873657175656e636500ac7075626c69736865645f617401a5746f706963aa6b765f6d657472696373a77061796c6f6164';
const envelope = (payload: string): string =>
  `${head}c4${(payload.length / 2).toString(16).padStart(2, '0')}${payload}`;
const decode = (bytes: string | Uint8Array, policy: LoadPolicy = policies.default): DecodedLoad =>
  new LoadDecoder(policy).decode(typeof bytes === 'string' ? hex(bytes) : bytes);
const json = (text: string): Uint8Array => new TextEncoder().encode(text);
const key = (name: string): string =>
  (0xa0 + name.length).toString(16) + [...json(name)].map((b) => b.toString(16).padStart(2, '0')).join('');
const errorOf = (decoded: DecodedLoad): DecodeErrorCode | undefined =>
  'error' in decoded ? decoded.error.code : undefined;

describe('load decoder - vectors', () => {
  it.each(Object.entries(envelopeVectors))('%s - every value, and the 64-bit ones exactly', (_, vector) => {
    const { load, hex: inner } = loadVectors[vector.payload];
    expect(decode(vector.head_hex + inner)).toEqual({ load: { kind: 'load', ...load, ...vector.head } });
  });

  it('upstream envelope of another topic - is foreign, its payload not looked at', () => {
    const upstream =
      '85ac7075626c69736865725f6964cd3039a873657175656e63652aac7075626c69736865645f6174cf0000018bcfe56800a5746f706963aa746573742d746f706963a77061796c6f6164c40c74657374207061796c6f6164';
    expect(decode(upstream)).toEqual({ foreignTopic: 'test-topic' });
  });

  it('positional envelope - is read, whatever follows it', () => {
    const positional = `95070001aa6b765f6d657472696373c4${(A.length / 2).toString(16)}${A}c0ffee`;
    expect(decode(positional)).toMatchObject({
      load: { workerId: '7', activeDecodeBlocks: 90, publishedAt: 1 },
    });
  });

  it('full range - 2^64 − 1 in every 64-bit field, 2^32 − 1 as rank', () => {
    const max = 'cfffffffffffffffff';
    const payload = `85${key('worker_id')}${max}${key('dp_rank')}ceffffffff${key('active_decode_blocks')}${max}${key('active_prefill_tokens')}${max}${key('kv_used_blocks')}${max}`;
    const top = 18446744073709551615n;
    expect(decode(envelope(payload))).toMatchObject({
      load: {
        workerId: '18446744073709551615',
        dpRank: 4294967295,
        activeDecodeBlocks: top,
        activePrefillTokens: top,
        kvUsedBlocks: top,
      },
    });
  });
});

describe('load decoder - what a map may look like', () => {
  const accepted: [string, string][] = [
    ['only worker_id', `81${key('worker_id')}07`],
    ['keys in another order', `82${key('active_decode_blocks')}5a${key('worker_id')}07`],
    [
      'unknown keys of every type',
      `88${key('worker_id')}07${key('a')}c0${key('b')}cb4000000000000000${key('c')}92a16181a16b02${key('d')}d6ff00000000${key('e')}ff${key('f')}c3${key('g')}d9026869`,
    ],
    ['keys as binary', `81c409${key('worker_id').slice(2)}07`],
    ['keys as indices', '820007025a'],
    ['keys as indices in another order', '82025a0007'],
    ['an index in 8 bits', '81cc0007'],
    ['an index in 16 bits', '81cd000007'],
    ['an index in 32 bits', '81ce0000000007'],
    ['an index in 64 bits', '81cf000000000000000007'],
    ['names and indices', `82025a${key('worker_id')}07`],
    [
      'an index beyond the last field, whatever its value',
      `8305a178cf000000000000000592a178c0${key('worker_id')}07`,
    ],
    ['an unknown index twice', `8309c0${key('worker_id')}0709c0`],
    ['the index 2^64 − 1, which is not index 0', `82cfffffffffffffffffc00007`],
    ['the index 2^32, which is not index 0', `82cf0000000100000000c00007`],
    ['the index 256, which is not index 0', `82cd0100c00007`],
    ['a digit as a name, which is no index', `82a130080007`],
    ['a positive int64 as id', `81${key('worker_id')}d30000000000000007`],
    ['a positive int8 as id', `81${key('worker_id')}d007`],
    ['nil for no value', `82${key('worker_id')}07${key('active_prefill_tokens')}c0`],
    ['a map of 16-bit size', `de0001${key('worker_id')}07`],
    ['bytes after the document', `81${key('worker_id')}07c0c0`],
  ];
  it.each(accepted)('%s - is read', (_, payload) => {
    expect(decode(envelope(payload))).toMatchObject({ load: { workerId: '7', dpRank: 0 } });
  });

  const refused: [string, string, DecodeErrorCode][] = [
    ['worker_id missing', `81${key('dp_rank')}00`, 'missing-field'],
    ['worker_id nil', `81${key('worker_id')}c0`, 'wrong-type'],
    ['worker_id float', `81${key('worker_id')}cb401c000000000000`, 'wrong-type'],
    ['worker_id text', `81${key('worker_id')}a137`, 'wrong-type'],
    ['worker_id negative', `81${key('worker_id')}ff`, 'out-of-range'],
    ['worker_id negative int64', `81${key('worker_id')}d3ffffffffffffffff`, 'out-of-range'],
    [
      'blocks whole float',
      `82${key('worker_id')}07${key('active_decode_blocks')}cb4058c00000000000`,
      'wrong-type',
    ],
    ['blocks float32', `82${key('worker_id')}07${key('active_decode_blocks')}ca42c60000`, 'wrong-type'],
    ['blocks true', `82${key('worker_id')}07${key('active_decode_blocks')}c3`, 'wrong-type'],
    ['tokens negative', `82${key('worker_id')}07${key('active_prefill_tokens')}ff`, 'out-of-range'],
    ['rank nil', `82${key('worker_id')}07${key('dp_rank')}c0`, 'wrong-type'],
    ['rank above 32 bits', `82${key('worker_id')}07${key('dp_rank')}cf0000000100000000`, 'out-of-range'],
    ['duplicate key', `82${key('worker_id')}07${key('worker_id')}07`, 'duplicate-key'],
    ['array of 2', '920700', 'wrong-length'],
    ['array of 6', '960700c0c0c0c0', 'wrong-length'],
    ['no struct', '07', 'wrong-type'],
    ['truncated value', `81${key('worker_id')}cf0000`, 'truncated'],
    ['truncated key', '81a9776f', 'truncated'],
    ['empty', '', 'truncated'],
    ['a map that claims 2^32 − 1 entries', 'dfffffffff', 'truncated'],
    ['an unknown array that claims 2^32 − 1 elements', `82${key('x')}ddffffffff`, 'truncated'],
    ['an unknown text that claims 2^32 − 1 bytes', `82${key('x')}dbffffffff`, 'truncated'],
    ['a byte that is not a marker', `82${key('x')}c1${key('worker_id')}07`, 'malformed'],
    ['a key that is not a string', '81c0c0', 'wrong-type'],
    ['a negative key', `82${key('worker_id')}07ffc0`, 'wrong-type'],
    ['a negative key in 64 bits', `82${key('worker_id')}07d3ffffffffffffffffc0`, 'wrong-type'],
    ['a positive key in a signed encoding', `82${key('worker_id')}07d0025a`, 'wrong-type'],
    [
      'an unknown positive key in a signed encoding',
      `82${key('worker_id')}07d30000000000000009c0`,
      'wrong-type',
    ],
    ['a float key', `82${key('worker_id')}07cb4000000000000000c0`, 'wrong-type'],
    ['a float32 key', `82${key('worker_id')}07ca40000000c0`, 'wrong-type'],
    ['a boolean key', `82${key('worker_id')}07c2c0`, 'wrong-type'],
    ['an array as key', `82${key('worker_id')}0790c0`, 'wrong-type'],
    ['a map as key', `82${key('worker_id')}0780c0`, 'wrong-type'],
    ['an extension as key', `82${key('worker_id')}07d40102c0`, 'wrong-type'],
    ['a field by name, then by index', `82${key('worker_id')}070007`, 'duplicate-key'],
    ['a field by index, then by name', `820007${key('worker_id')}07`, 'duplicate-key'],
    ['a field by index, then by index in another width', '820007cd000007', 'duplicate-key'],
    ['a float by index', '82000702cb4058c00000000000', 'wrong-type'],
    ['nil for a rank by index', '82000701c0', 'wrong-type'],
    ['a rank above 32 bits by index', '82000701cf0000000100000000', 'out-of-range'],
    ['only indices, worker_id missing', '820100025a', 'missing-field'],
    ['a truncated index', `82${key('worker_id')}07cd00`, 'truncated'],
    ['an index without a value', '8100', 'truncated'],
  ];
  it.each(refused)('%s - is an error with code and offset', (_, payload, code) => {
    const decoded = decode(envelope(payload));
    expect(decoded).toMatchObject({ error: { code } });
    if ('error' in decoded) {
      expect(decoded.error.offset).toBeGreaterThanOrEqual(head.length / 2);
      expect(decoded.error.offset).toBeLessThanOrEqual(head.length / 2 + 2 + payload.length / 2);
      expect(decoded.error.message).toMatch(/\S/);
    }
  });

  it('offset - points at the byte', () => {
    const decoded = decode(envelope(`82${key('worker_id')}07${key('worker_id')}07`));
    expect(decoded).toMatchObject({ error: { offset: head.length / 2 + 2 + 1 + 11 } });
  });
});

describe('load decoder - the envelope', () => {
  const cases: [string, string, DecodeErrorCode][] = [
    [
      'a field missing',
      `84${envelope(A).slice(2, 2 + 28)}${envelope(A).slice(2 + 28 + 20)}`,
      'missing-field',
    ],
    ['empty message', '', 'empty'],
    ['nil topic', envelope(A).replace('aa6b765f6d657472696373', 'c0'), 'wrong-type'],
    ['nil payload', `${head}c0`, 'wrong-type'],
    ['payload cut off', `${head}c442${A.slice(0, -2)}`, 'truncated'],
    ['payload that claims 4 GiB', `${head}c6ffffffff00`, 'truncated'],
    ['an array as payload with a byte of 256', `${head}91cd0100`, 'out-of-range'],
    ['an array as payload that claims 2^32 − 1 bytes', `${head}ddffffffff00`, 'truncated'],
    [
      'a foreign topic that is not valid UTF-8',
      envelope(A).replace('aa6b765f6d657472696373', 'a2ffff'),
      'invalid-utf8',
    ],
  ];
  it.each(cases)('%s - is an error', (_, bytes, code) => {
    expect(decode(bytes)).toMatchObject({ error: { code } });
  });

  it('topic as binary, and another topic by one letter - exact equality decides', () => {
    expect(decode(envelope(A).replace('aa6b765f6d657472696373', 'c40a6b765f6d657472696373'))).toHaveProperty(
      'load',
    );
    expect(decode(envelope(A).replace('6b765f6d657472696373', '6b762d6d657472696373'))).toEqual({
      foreignTopic: 'kv-metrics',
    });
  });
});

describe('load decoder - fields by index', () => {
  const rest = `${key('publisher_id')}09${key('sequence')}00${key('published_at')}01`;
  const topic = `${key('topic')}aa6b765f6d657472696373`;
  const load = `82${key('worker_id')}07${key('active_decode_blocks')}5a`;
  const inBinary = `c4${(load.length / 2).toString(16)}${load}`;

  it('of the envelope - each field, mixed with names and unknown indices', () => {
    const expected = { load: { workerId: '7', activeDecodeBlocks: 90, publisherId: '9', publishedAt: 1 } };
    expect(decode(`8500090100020103aa6b765f6d65747269637304${inBinary}`)).toMatchObject(expected);
    expect(decode(`8504${inBinary}03aa6b765f6d657472696373020101000009`)).toMatchObject(expected);
    expect(decode(`86${rest}${topic}05c0cd0004${inBinary}`)).toMatchObject(expected);
    expect(errorOf(decode(`85${rest}${topic}4d${inBinary}`))).toBe('missing-field');
    expect(decode(`85${rest}03a178${key('payload')}c400`)).toEqual({ foreignTopic: 'x' });
  });

  it('of the envelope - twice, or a key of another type, is an error', () => {
    const whole = `${rest}${topic}${key('payload')}${inBinary}`;
    expect(errorOf(decode(`86${whole}0009`))).toBe('duplicate-key');
    expect(errorOf(decode(`86${whole}03aa6b765f6d657472696373`))).toBe('duplicate-key');
    expect(errorOf(decode(`86${whole}04${inBinary}`))).toBe('duplicate-key');
    for (const strange of ['ff', 'd005', 'c0', 'c3', 'ca00000000']) {
      expect(errorOf(decode(`86${whole}${strange}c0`))).toBe('wrong-type');
    }
  });

  it.each(Object.entries(policies))('%s - index 4 is the field that 1.1 added', (name, policy) => {
    const decoded = decode(envelope(`82${key('worker_id')}07045a`), policy);
    const ofText = decode(envelope(`82${key('worker_id')}0704a178`), policy);
    switch (name) {
      case 'dynamo-0.8':
        expect(errorOf(decoded)).toBe('unsupported-format');
        break;
      case 'dynamo-1.0':
        expect([decoded, ofText]).toMatchObject([
          { load: { kvUsedBlocks: null } },
          { load: { workerId: '7' } },
        ]);
        break;
      default:
        expect(decoded).toMatchObject({ load: { kvUsedBlocks: 90 } });
        expect(errorOf(ofText)).toBe('wrong-type');
    }
  });

  it('a known shape - has the same indices, not only the same length', () => {
    const decoder = new LoadDecoder(policies.default);
    const withKey = (index: string): Uint8Array => hex(envelope(`820007${index}5a`));
    expect(decoder.decode(withKey('02'))).toMatchObject({ load: { activeDecodeBlocks: 90 } });
    expect(decoder.decode(withKey('03'))).toMatchObject({ load: { activePrefillTokens: 90 } });
    expect(decoder.decode(withKey('01'))).toMatchObject({ load: { dpRank: 90 } });
    expect(errorOf(decoder.decode(withKey('00')))).toBe('duplicate-key');
    expect(decoder.decode(withKey('7f'))).toMatchObject({ load: { activeDecodeBlocks: null } });
    expect([decoder.fast, decoder.walked]).toEqual([0, 5]);
    expect(decoder.decode(withKey('02'))).toMatchObject({ load: { activeDecodeBlocks: 90 } });
    expect([decoder.fast, decoder.walked]).toEqual([1, 5]);
  });
});

describe('load decoder - what each policy accepts', () => {
  const str = `${head}d9${(A.length / 2).toString(16)}${A}`;
  const arr = `${head}dc0042${[...hex(A)].map((byte) => (byte > 0x7f ? 'cc' : '') + byte.toString(16).padStart(2, '0')).join('')}`;
  const four = envelope('9407015ac0');
  const five = envelope('9507015ac0c0');
  const oldLoad = json('{"worker_id":7,"dp_rank":1,"active_decode_blocks":90,"active_prefill_tokens":null}');
  const loadEvent = json(
    '{"worker_id":7,"data":{"worker_stats":{"data_parallel_rank":1,"request_active_slots":0,"request_total_slots":1,"num_requests_waiting":0},"kv_stats":{"kv_active_blocks":90,"kv_total_blocks":100,"gpu_cache_usage_perc":0.9,"gpu_prefix_cache_hit_rate":0.1},"spec_decode_stats":null}}',
  );
  const table: Record<
    keyof typeof policies,
    [str: boolean, arr: boolean, four: boolean, five: boolean, env: boolean, json: boolean]
  > = {
    'dynamo-0.8': [false, false, false, false, false, true],
    'dynamo-1.0': [false, true, true, false, true, false],
    'dynamo-1.1': [false, true, true, true, true, false],
    'dynamo-1.4': [true, false, true, true, true, false],
    'dynamo-1.6': [true, false, false, true, true, false],
    default: [true, true, true, true, true, true],
  };
  it.each(Object.entries(table))('%s', (name, expected) => {
    const policy = policies[name as keyof typeof policies];
    const inputs = [str, arr, four, five, envelope(A), oldLoad];
    const results = inputs.map((input) => decode(input, policy));
    expect(results.map((decoded) => 'load' in decoded)).toEqual(expected);
    for (const decoded of results) {
      if ('load' in decoded)
        expect(decoded.load).toMatchObject({ workerId: '7', dpRank: 1, activeDecodeBlocks: 90 });
    }
  });

  it('LoadEvent of 0.4 to 0.7 - is read by default, and by 0.8 as a load without values', () => {
    expect(decode(loadEvent)).toMatchObject({ load: { workerId: '7', dpRank: 1, activeDecodeBlocks: 90 } });
    expect(decode(loadEvent, policies['dynamo-0.8'])).toMatchObject({
      load: { dpRank: 0, activeDecodeBlocks: null },
    });
  });

  it('a field that a release does not know - is passed over, whatever it holds', () => {
    const payload = `82${key('worker_id')}07${key('kv_used_blocks')}a178`;
    expect(decode(envelope(payload), policies['dynamo-1.0'])).toMatchObject({ load: { kvUsedBlocks: null } });
    expect(errorOf(decode(envelope(payload), policies['dynamo-1.6']))).toBe('wrong-type');
  });
});

describe('load decoder - JSON', () => {
  const cases: [string, string, DecodeErrorCode][] = [
    ['truncated', '{"worker_id":7', 'truncated'],
    ['something behind', '{"worker_id":7} x', 'trailing'],
    ['a float', '{"worker_id":7.0}', 'wrong-type'],
    ['an exponent', '{"worker_id":7e0}', 'wrong-type'],
    ['negative', '{"worker_id":-7}', 'out-of-range'],
    ['above 2^64 − 1', '{"worker_id":18446744073709551616}', 'out-of-range'],
    ['missing id', '{"dp_rank":1}', 'missing-field'],
    ['duplicate key', '{"worker_id":7,"worker_id":8}', 'duplicate-key'],
    ['rank null', '{"worker_id":7,"dp_rank":null}', 'wrong-type'],
    ['array of 3', '[7,0,1]', 'wrong-length'],
    ['LoadEvent without blocks', '{"worker_id":7,"data":{"worker_stats":{},"kv_stats":{}}}', 'missing-field'],
    ['nested beyond reason', `{"worker_id":7,"x":${'['.repeat(200)}${']'.repeat(200)}}`, 'too-deep'],
  ];
  it.each(cases)('%s - is an error', (_, text, code) => {
    expect(errorOf(decode(json(text)))).toBe(code);
  });

  it('ids - keep all 64 bits; unknown and repeated unknown keys are passed over; white space is fine', () => {
    const text =
      ' \n{"worker_id":18446744073709551615,"x":{"a":1,"a":2},"active_decode_blocks":9007199254740993}';
    expect(decode(json(text))).toMatchObject({
      load: { workerId: '18446744073709551615', dpRank: 0, activeDecodeBlocks: 9007199254740993n },
    });
  });

  it('positional - as serde reads it', () => {
    expect(decode(json('[7,1,90,null]'))).toMatchObject({
      load: { workerId: '7', dpRank: 1, activeDecodeBlocks: 90 },
    });
  });
});

describe('load decoder - counters', () => {
  it('the second message of a shape is fast, whatever its values; another shape is walked', () => {
    const decoder = new LoadDecoder(policies.default);
    const one = hex(envelopeVectors.EB.head_hex + loadVectors.B.hex);
    const two = Uint8Array.from(one);
    two.set([0xff, 0xff], one.length - 2);
    decoder.decode(one);
    expect(decoder.decode(two)).toMatchObject({ load: { activePrefillTokens: 0xffff } });
    expect([decoder.fast, decoder.walked]).toEqual([1, 1]);
    decoder.decode(hex(envelopeVectors.EA.head_hex + A));
    expect([decoder.fast, decoder.walked]).toEqual([1, 2]);
  });

  it('a rank in eight bytes - is never fast, since the next one may exceed 32 bits', () => {
    const decoder = new LoadDecoder(policies.default);
    const ranked = (rank: string): string => envelope(`82${key('worker_id')}07${key('dp_rank')}cf${rank}`);
    expect(decoder.decode(hex(ranked('0000000000000001')))).toMatchObject({ load: { dpRank: 1 } });
    expect(decoder.decode(hex(ranked('0000000100000000')))).toMatchObject({
      error: { code: 'out-of-range' },
    });
  });

  it('a sign that appears in a known shape - is noticed', () => {
    const decoder = new LoadDecoder(policies.default);
    const signed = (id: string): string => envelope(`81${key('worker_id')}d3${id}`);
    expect(decoder.decode(hex(signed('0000000000000001')))).toMatchObject({ load: { workerId: '1' } });
    expect(decoder.decode(hex(signed('8000000000000001')))).toMatchObject({
      error: { code: 'out-of-range' },
    });
  });

  it('memory for shapes is bounded, and the oldest are replaced', () => {
    const decoder = new LoadDecoder(policies.default);
    const message = (n: number): Uint8Array =>
      hex(
        envelope(`82${key('worker_id')}07${key('x')}d9${n.toString(16).padStart(2, '0')}${'61'.repeat(n)}`),
      );
    for (let n = 0; n < 100; n += 1) decoder.decode(message(n));
    for (let round = 0; round < 6; round += 1) {
      for (let n = 0; n < 200; n += 1) {
        const unknown = `${key(`k${round}`)}d9${(n % 100).toString(16).padStart(2, '0')}${'61'.repeat(n % 100)}`;
        decoder.decode(hex(envelope(`82${key('worker_id')}07${unknown}`)));
      }
    }
    const { walked } = decoder;
    decoder.decode(message(0));
    expect(decoder.walked).toBe(walked + 1);
  });
});
