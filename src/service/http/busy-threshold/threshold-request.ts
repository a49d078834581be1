import { type Count, countOf } from '../../../core/count.js';
import { RequestBodyError, SerdeReader } from './serde-json.js';

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]";
const TYPE = new RegExp(`^(${TOKEN}+)/(${TOKEN}+)(?:;(.*))?$`, 's');
const PARAMETER = new RegExp(`^ *${TOKEN}+=(?:"[^\\x00-\\x1f"\\x7f]+" *|"?${TOKEN}+|)(?:;|$)`);

/**
 * Whether Dynamo's framework treats a content type as JSON: `application/json` or a subtype that ends with `+json`, in upper
 * or lower case, with well-formed parameters.
 */
export function isJsonContentType(header: string | undefined): boolean {
  const match = TYPE.exec(header ?? '');
  if (match === null) return false;
  const [, type = '', subtype = '', parameters = ''] = match;
  const plus = subtype.lastIndexOf('+');
  const [name, suffix] = plus > 0 ? [subtype.slice(0, plus), subtype.slice(plus + 1)] : [subtype, ''];
  const isJson = [name, suffix].some((part) => part.toLowerCase() === 'json');
  return type.toLowerCase() === 'application' && isJson && areParameters(parameters);
}

function areParameters(text: string): boolean {
  for (let rest = text; rest !== '';) {
    const parameter = PARAMETER.exec(rest);
    if (parameter === null) return false;
    rest = rest.slice(parameter[0].length);
  }
  return true;
}

/** The body of `POST /busy_threshold`. A threshold that is `null` or absent stays unchanged. */
export interface ThresholdRequest {
  readonly model: string;
  readonly activeDecodeBlocksThreshold: number | null;
  readonly activePrefillTokensThreshold: Count | null;
  readonly activePrefillTokensThresholdFrac: number | null;
}

type Field = (reader: SerdeReader) => unknown;

const MODEL = 'model';
// The order is that of the values in an array.
const fields: ReadonlyMap<string, Field> = new Map<string, Field>([
  [
    MODEL,
    (reader) => (reader.peek() === '"' ? reader.readString() : reader.failUnexpected(MODEL, 'a string')),
  ],
  ['active_decode_blocks_threshold', optional('active_decode_blocks_threshold', readFloat)],
  ['active_prefill_tokens_threshold', optional('active_prefill_tokens_threshold', readCount)],
  ['active_prefill_tokens_threshold_frac', optional('active_prefill_tokens_threshold_frac', readFloat)],
]);

/**
 * Parses the body of `POST /busy_threshold` like Dynamo's framework (axum with serde_json).
 *
 * 1. The body is an object, or an array of exactly the four values in order. Unknown keys are skipped; duplicate known keys
 *    are errors. Bytes after the object are ignored.
 * 2. A fraction may be written as an integer. A number of tokens may not be a float, and no number may be a string.
 *
 * @throws RequestBodyError
 */
export function parseThresholdRequest(body: Uint8Array): ThresholdRequest {
  const reader = new SerdeReader(body);
  const values =
    reader.peek() === '{'
      ? readMembers(reader)
      : reader.peek() === '['
        ? readItems(reader)
        : reader.failUnexpected('the body', 'an object');
  if (!values.has(MODEL)) throw new RequestBodyError('data', 'model is missing');
  const value = <T>(name: string): T | null => (values.get(name) as T | undefined) ?? null;
  return {
    model: values.get(MODEL) as string,
    activeDecodeBlocksThreshold: value('active_decode_blocks_threshold'),
    activePrefillTokensThreshold: value('active_prefill_tokens_threshold'),
    activePrefillTokensThresholdFrac: value('active_prefill_tokens_threshold_frac'),
  };
}

function readMembers(reader: SerdeReader): Map<string, unknown> {
  const values = new Map<string, unknown>();
  reader.takeIf('{');
  for (let first = true; !reader.takeIf('}'); first = false) {
    if (!first && !reader.takeIf(',')) reader.failSyntax('a comma or }');
    if (reader.peek() !== '"') reader.failSyntax('a key in double quotes');
    const name = reader.readString();
    if (values.has(name)) throw new RequestBodyError('data', `duplicate ${name}`);
    const field = fields.get(name);
    reader.readColon();
    if (field === undefined) reader.skip();
    else values.set(name, field(reader));
  }
  return values;
}

function readItems(reader: SerdeReader): Map<string, unknown> {
  const values = new Map<string, unknown>();
  reader.takeIf('[');
  for (const [name, field] of fields) {
    if (reader.peek() === ']')
      throw new RequestBodyError('data', `an array must have ${fields.size} elements, not ${values.size}`);
    if (values.size > 0 && (!reader.takeIf(',') || reader.peek() === ']'))
      reader.failSyntax('a comma or a value');
    values.set(name, field(reader));
  }
  if (!reader.takeIf(']')) reader.failSyntax('the end of the array');
  return values;
}

function optional<T>(
  name: string,
  read: (reader: SerdeReader, name: string) => T,
): (reader: SerdeReader) => T | null {
  return (reader) => {
    if (reader.peek() !== 'n') return read(reader, name);
    reader.readWord('null');
    return null;
  };
}

function readFloat(reader: SerdeReader, name: string): number {
  return startsNumber(reader) ? Number(reader.readNumber().value) : reader.failUnexpected(name, 'a number');
}

function readCount(reader: SerdeReader, name: string): Count {
  const wanted = 'a whole number from 0 to 18446744073709551615';
  if (!startsNumber(reader)) return reader.failUnexpected(name, wanted);
  const number = reader.readNumber();
  if (number.kind === 'u64') return countOf(number.value);
  const found = Object.is(number.value, -0) ? '-0' : String(number.value);
  throw new RequestBodyError(
    'data',
    `${name} must be ${wanted}, not ${found}${number.kind === 'f64' ? ', a float' : ''}`,
  );
}

function startsNumber(reader: SerdeReader): boolean {
  return /^[-0-9]$/.test(reader.peek() ?? '');
}
