import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { httpCall, type HttpAnswer } from '../../support/http-call.js';
import { ServedFleet } from '../../support/served-fleet.js';

const MODEL = 'tiny-model';
const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain; charset=utf-8';
const bytes = (...parts: (string | number)[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part]))));
const withField = (name: string, text: string): string => `{"model":"${MODEL}","${name}":${text}}`;
const decode = (text: string): string => withField('active_decode_blocks_threshold', text);
const tokens = (text: string): string => withField('active_prefill_tokens_threshold', text);
const frac = (text: string): string => withField('active_prefill_tokens_threshold_frac', text);

let fleet: ServedFleet;
beforeAll(async () => {
  fleet = await ServedFleet.start({ policy: 'dynamo-1.6', release: '1.6' });
  await fleet.worker('7');
});
afterAll(() => fleet.service.stop());
beforeEach(async () => {
  // A known threshold, so that an unchanged value is recognized.
  expect((await post(`{"model":"${MODEL}","active_decode_blocks_threshold":0.5}`)).status).toBe(200);
});

function post(body: string | Uint8Array, headers: Record<string, string> = { 'content-type': JSON_TYPE }) {
  return httpCall(`${fleet.url}/busy_threshold`, { method: 'POST', headers, body });
}

/** The text of a threshold in a response. */
function thresholdText(answer: HttpAnswer, name: string): string | undefined {
  return new RegExp(`"${name}":([^,}]+)`).exec(answer.body)?.[1];
}

describe('values that Dynamo’s parser accepts', () => {
  it.each([
    // The request, and the text of the threshold in the response.
    ['an integer for a fraction', decode('1'), 'active_decode_blocks_threshold', '1.0'],
    ['an exponent', decode('1e0'), 'active_decode_blocks_threshold', '1.0'],
    ['an exponent with signs', decode('5E-1'), 'active_decode_blocks_threshold', '0.5'],
    ['minus zero', decode('-0'), 'active_decode_blocks_threshold', '-0.0'],
    ['minus zero with a fraction', decode('-0.0'), 'active_decode_blocks_threshold', '-0.0'],
    ['a fraction that underflows', decode('1e-400'), 'active_decode_blocks_threshold', '0.0'],
    [
      'an exponent beyond all bounds of a zero',
      decode('0e99999999999'),
      'active_decode_blocks_threshold',
      '0.0',
    ],
    [
      'seventeen digits',
      decode('0.12345678901234568'),
      'active_decode_blocks_threshold',
      '0.12345678901234568',
    ],
    ['small, without exponent', frac('0.00001'), 'active_prefill_tokens_threshold_frac', '0.00001'],
    ['large, without exponent', frac('1e15'), 'active_prefill_tokens_threshold_frac', '1000000000000000.0'],
    [
      'an integer above 2^64 for a fraction',
      frac('18446744073709551616'),
      'active_prefill_tokens_threshold_frac',
      '1.8446744073709552e+19',
    ],
    ['minus zero for the batch fraction', frac('-0'), 'active_prefill_tokens_threshold_frac', '-0.0'],
    [
      'the largest tokens',
      tokens('18446744073709551615'),
      'active_prefill_tokens_threshold',
      '18446744073709551615',
    ],
    [
      'tokens one above what a double holds',
      tokens('9007199254740993'),
      'active_prefill_tokens_threshold',
      '9007199254740993',
    ],
    ['null', decode('null'), 'active_decode_blocks_threshold', '0.5'],
    [
      'spaces of JSON',
      ` \t\r\n{ "model" : "${MODEL}" ,\n"active_decode_blocks_threshold" : 0.25 } `,
      'active_decode_blocks_threshold',
      '0.25',
    ],
    ['an array of the four', `["${MODEL}",0.25,null,null]`, 'active_decode_blocks_threshold', '0.25'],
    [
      'a key and a model in escapes',
      '{"\\u006dodel":"tiny\\u002dmodel","active_decode_blocks_threshold":0.25}',
      'active_decode_blocks_threshold',
      '0.25',
    ],
    [
      'unknown keys, twice and nested',
      `{"zzz":{"a":[1,{"b":[]},"x"],"a":{}},"zzz":[],"model":"${MODEL}"}`,
      'active_decode_blocks_threshold',
      '0.5',
    ],
    [
      'an unknown key with a number out of range',
      `{"model":"${MODEL}","zzz":1e999}`,
      'active_decode_blocks_threshold',
      '0.5',
    ],
    [
      'an unknown key nested a thousand deep',
      `{"model":"${MODEL}","zzz":${'['.repeat(1000)}${']'.repeat(1000)}}`,
      'active_decode_blocks_threshold',
      '0.5',
    ],
    [
      'an unknown key with half a surrogate',
      `{"model":"${MODEL}","zzz":"\\ud800"}`,
      'active_decode_blocks_threshold',
      '0.5',
    ],
    ['text after the object', `{"model":"${MODEL}"}}}`, 'active_decode_blocks_threshold', '0.5'],
  ])('%s: 200', async (_, body, name, written) => {
    const answer = await post(body);
    expect(answer).toMatchObject({ status: 200, headers: { 'content-type': JSON_TYPE } });
    expect(thresholdText(answer, name)).toBe(written);
  });

  it('an unknown key whose value is not UTF-8: 200, because it is not read', async () => {
    expect((await post(bytes(`{"model":"${MODEL}","zzz":"`, 0xff, '"}'))).status).toBe(200);
  });

  it('an empty model name, and one with special characters, are unknown models', async () => {
    expect((await post('{"model":""}')).body).toMatch(/^\{"model":"","active_decode_blocks_threshold":null,/);
    const odd = '{"model":"a\\"b\\\\c\\n\\u0001ü😀\\u2028"}';
    const answer = await post(odd);
    expect(JSON.parse(answer.body)).toMatchObject({ model: 'a"b\\c\n\u0001ü😀\u2028' });
    expect(answer.body).toContain('{"model":"a\\"b\\\\c\\n\\u0001ü😀\u2028",');
  });
});

describe('JSON that does not match: 422, and nothing changes', () => {
  it.each([
    ['tokens as a float', tokens('5.0')],
    ['tokens with an exponent', tokens('1e0')],
    ['tokens below zero', tokens('-1')],
    ['tokens as minus zero', tokens('-0')],
    ['tokens above 2^64 − 1', tokens('18446744073709551616')],
    ['tokens as a string', tokens('"5"')],
    ['tokens as an array', tokens('[5]')],
    ['a fraction as a string', decode('"0.5"')],
    ['a fraction as true', decode('true')],
    ['a fraction as false', decode('false')],
    ['no model', '{}'],
    ['model null', '{"model":null}'],
    ['model an object', '{"model":{}}'],
    ['a duplicate model', `{"model":"${MODEL}","model":"${MODEL}"}`],
    [
      'a duplicate threshold',
      `{"model":"${MODEL}","active_decode_blocks_threshold":null,"active_decode_blocks_threshold":1}`,
    ],
    ['a wrong model before invalid JSON', '{"model":5, oops'],
    ['an array of three', `["${MODEL}",0.25,null]`],
    ['a string', '"x"'],
    ['null', 'null'],
    ['a number', '5'],
    ['true', 'true'],
  ])('%s', async (_, body) => {
    const answer = await post(body);
    expect(answer).toMatchObject({ status: 422, headers: { 'content-type': JSON_TYPE } });
    const { error, ...rest } = JSON.parse(answer.body) as { error: string };
    expect(error).toMatch(/^The JSON body is invalid: .+\.$/);
    expect(rest).toEqual({});
    expect(thresholdText(await post(`{"model":"${MODEL}"}`), 'active_decode_blocks_threshold')).toBe('0.5');
  });
});

describe('invalid JSON: 400 as plain text', () => {
  it.each<[string, string | Uint8Array]>([
    ['nothing', ''],
    ['only spaces', ' \n'],
    ['half an object', `{"model":"${MODEL}",`],
    ['a comma too many', `{"model":"${MODEL}",}`],
    ['an array with a comma too many', `["${MODEL}",0.25,null,null,]`],
    ['an array of five', `["${MODEL}",0.25,null,null,1]`],
    ['an array of one, unfinished', `["${MODEL}"`],
    ['no quotes around a key', `{model:"${MODEL}"}`],
    ['single quotes', `{'model':'${MODEL}'}`],
    ['a comment', `/* */ {"model":"${MODEL}"}`],
    ['a byte order mark', bytes(0xef, 0xbb, 0xbf, `{"model":"${MODEL}"}`)],
    ['a model that is not UTF-8', bytes('{"model":"', 0xff, '"}')],
    ['a key that is not UTF-8', bytes('{"', 0xff, `":1,"model":"${MODEL}"}`)],
    ['half a surrogate in the model', '{"model":"\\ud800"}'],
    ['a control character in the model', '{"model":"\n"}'],
    ['an escape that JSON does not know', '{"model":"\\x41"}'],
    ['a leading zero', decode('01')],
    ['a leading plus', decode('+1')],
    ['no digit before the point', decode('.5')],
    ['no digit after the point', decode('1.')],
    ['no digit after the e', decode('1e')],
    ['only a minus', decode('-')],
    ['not a number', decode('NaN')],
    ['infinity', frac('Infinity')],
    ['a number out of range', frac('1e400')],
    ['an integer out of range', frac(`1${'0'.repeat(400)}`)],
    ['a word that is cut off', decode('nul')],
    ['a word followed by other text', decode('nulll')],
    ['a number followed by other text', decode('0.5x')],
    ['an unknown key with a trailing comma in an array', `{"model":"${MODEL}","zzz":[1,]}`],
    ['an unknown key with a leading zero', `{"model":"${MODEL}","zzz":01}`],
  ])('%s', async (_, body) => {
    const answer = await post(body);
    expect(answer).toMatchObject({ status: 400, headers: { 'content-type': TEXT_TYPE } });
    expect(answer.body).toMatch(/^The request body is not valid JSON: .+\.$/);
    expect(thresholdText(await post(`{"model":"${MODEL}"}`), 'active_decode_blocks_threshold')).toBe('0.5');
  });
});

describe('a fraction outside its range: 400 with the value as Rust prints it, for any model', () => {
  it.each([
    ['2.0', '2'],
    ['1e10', '10000000000'],
    ['1e300', `1${'0'.repeat(300)}`],
    ['1.7976931348623157e308', `17976931348623157${'0'.repeat(292)}`],
    ['123456789.5', '123456789.5'],
    ['-1e-7', '-0.0000001'],
    ['-1.5e-10', '-0.00000000015'],
    ['1.0000000000000002', '1.0000000000000002'],
    ['18446744073709551616', '18446744073709552000'],
  ])('decode %s is printed as %s', async (text, printed) => {
    const error = `active_decode_blocks_threshold must be between 0.0 and 1.0, got ${printed}`;
    for (const body of [decode(text), decode(text).replace(MODEL, 'nope')]) {
      expect(await post(body)).toMatchObject({
        status: 400,
        headers: { 'content-type': JSON_TYPE },
        body: JSON.stringify({ error }),
      });
    }
  });

  it('the batch fraction in 1.6; the decode fraction is validated first', async () => {
    const error =
      'active_prefill_tokens_threshold_frac must be a finite value greater than or equal to 0.0, got -1e-7';
    expect((await post(frac('-1e-7'))).body).toBe(
      JSON.stringify({ error: error.replace('-1e-7', '-0.0000001') }),
    );
    const both = `{"model":"m","active_prefill_tokens_threshold_frac":-1,"active_decode_blocks_threshold":7}`;
    expect((await post(both)).body).toContain(
      'active_decode_blocks_threshold must be between 0.0 and 1.0, got 7',
    );
  });
});

describe('content types', () => {
  const body = `{"model":"${MODEL}"}`;
  it.each([
    'application/json',
    'APPLICATION/JSON',
    'application/json; charset=utf-8',
    'application/json;charset="utf-8"',
    'application/json; charset=latin1',
    'application/json;',
    'application/problem+json',
    'application/a+b+JSON; x=y; z="a b"',
    'application/json+x',
  ])('%s is JSON', async (type) => {
    expect((await post(body, { 'content-type': type })).status).toBe(200);
  });

  it.each([
    'text/json',
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonp',
    'application/xml+jsonx',
    'application/+jsonx',
    'application/json ; charset=utf-8',
    'application/json; charset',
    'application/json, text/plain',
    'json',
    '*/*',
    '',
  ])('%s: 415', async (type) => {
    expect(await post(body, { 'content-type': type })).toMatchObject({
      status: 415,
      headers: { 'content-type': TEXT_TYPE },
      body: 'Expected request with `Content-Type: application/json`',
    });
  });

  it('is validated before the body', async () => {
    expect((await post('x'.repeat(3_000_000), { 'content-type': 'text/plain' })).status).toBe(415);
  });
});

describe('methods, paths, sizes', () => {
  it.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'LOCK'])(
    '%s: 405 without a body',
    async (method) => {
      expect(await httpCall(`${fleet.url}/busy_threshold`, { method })).toMatchObject({
        status: 405,
        headers: { allow: 'POST,GET,HEAD', 'content-length': '0' },
        body: '',
      });
      const wrongType = { method, headers: { 'content-type': 'nonsense' }, body: 'x' };
      expect((await httpCall(`${fleet.url}/busy_threshold`, wrongType)).status).toBe(405);
    },
  );

  it('HEAD answers like GET, without the body', async () => {
    const [get, head] = await Promise.all(
      ['GET', 'HEAD'].map((method) => httpCall(`${fleet.url}/busy_threshold?x=1`, { method })),
    );
    expect(head?.body).toBe('');
    for (const name of ['content-type', 'content-length'])
      expect(head?.headers[name]).toBe(get?.headers[name]);
  });

  it.each(['/busy_threshold/', '/busy_threshold/x', '/busy_threshold//', '/busy_thresholds'])(
    '%s: 404 with the body of Dynamo',
    async (path) => {
      expect(await httpCall(fleet.url + path)).toMatchObject({
        status: 404,
        body: JSON.stringify({ message: `Route not found: GET ${path}`, type: 'Not Found', code: 404 }),
      });
    },
  );

  it.each(['//busy_threshold', '/Busy_threshold', '/busy%5fthreshold', '/busy_threshold%2f'])(
    '%s: 404',
    async (path) => {
      expect((await httpCall(fleet.url + path)).status).toBe(404);
    },
  );

  it('a body of exactly the limit is accepted; one byte more is 413, with and without chunked encoding', async () => {
    const head = `{"model":"${MODEL}"}`;
    expect((await post(head + ' '.repeat(2_097_152 - head.length))).status).toBe(200);
    const large = head + ' '.repeat(2_097_153 - head.length);
    const chunked = { 'content-type': JSON_TYPE, 'transfer-encoding': 'chunked' };
    for (const answer of [await post(large), await post(large, chunked)])
      expect(answer).toMatchObject({ status: 413, headers: { 'content-type': TEXT_TYPE } });
  });
});
