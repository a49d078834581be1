import { countOf, type Count } from '../../core/count.js';
import { BodyError, SerdeReader } from './serde-reader.js';

/** What a caller of `POST /busy_threshold` asks for: a mark that is `null` or absent stays as it is. */
export interface ThresholdRequest {
  readonly model: string;
  readonly activeDecodeBlocksThreshold: number | null;
  readonly activePrefillTokensThreshold: Count | null;
  readonly activePrefillTokensThresholdFrac: number | null;
}

type Field = (reader: SerdeReader) => unknown;

const MODEL = 'model';
// In the order in which an array gives them.
const fields: ReadonlyMap<string, Field> = new Map<string, Field>([
  [MODEL, (reader) => (reader.peek() === '"' ? reader.string() : reader.unexpected(MODEL, 'a string'))],
  ['active_decode_blocks_threshold', optional('active_decode_blocks_threshold', floatOf)],
  ['active_prefill_tokens_threshold', optional('active_prefill_tokens_threshold', countIn)],
  ['active_prefill_tokens_threshold_frac', optional('active_prefill_tokens_threshold_frac', floatOf)],
]);

/**
 * Reads the body of `POST /busy_threshold` as Dynamo's framework does (axum with serde_json).
 *
 * 1. An object, or an array of exactly the four values in their order. Unknown keys are skipped, known ones must not
 *    stand twice. What follows the object is not looked at.
 * 2. A fraction may be written as an integer; a number of tokens may not be written as a float, nor a number as a text.
 *
 * @throws BodyError
 */
export function thresholdRequestOf(body: Uint8Array): ThresholdRequest {
  const reader = new SerdeReader(body);
  const values =
    reader.peek() === '{'
      ? membersOf(reader)
      : reader.peek() === '['
        ? itemsOf(reader)
        : reader.unexpected('the body', 'an object');
  if (!values.has(MODEL)) throw new BodyError('data', 'model is missing');
  const value = <T>(name: string): T | null => (values.get(name) as T | undefined) ?? null;
  return {
    model: values.get(MODEL) as string,
    activeDecodeBlocksThreshold: value('active_decode_blocks_threshold'),
    activePrefillTokensThreshold: value('active_prefill_tokens_threshold'),
    activePrefillTokensThresholdFrac: value('active_prefill_tokens_threshold_frac'),
  };
}

function membersOf(reader: SerdeReader): Map<string, unknown> {
  const values = new Map<string, unknown>();
  reader.takes('{');
  for (let first = true; !reader.takes('}'); first = false) {
    if (!first && !reader.takes(',')) reader.syntax('a comma or }');
    if (reader.peek() !== '"') reader.syntax('a key in double quotes');
    const name = reader.string();
    if (values.has(name)) throw new BodyError('data', `${name} stands twice`);
    const field = fields.get(name);
    reader.colon();
    if (field === undefined) reader.skip();
    else values.set(name, field(reader));
  }
  return values;
}

function itemsOf(reader: SerdeReader): Map<string, unknown> {
  const values = new Map<string, unknown>();
  reader.takes('[');
  for (const [name, field] of fields) {
    if (reader.peek() === ']')
      throw new BodyError('data', `an array must have ${fields.size} elements, not ${values.size}`);
    if (values.size > 0 && (!reader.takes(',') || reader.peek() === ']')) reader.syntax('a comma or a value');
    values.set(name, field(reader));
  }
  if (!reader.takes(']')) reader.syntax('the end of the array');
  return values;
}

function optional<T>(
  name: string,
  read: (reader: SerdeReader, name: string) => T,
): (reader: SerdeReader) => T | null {
  return (reader) => {
    if (reader.peek() !== 'n') return read(reader, name);
    reader.word('null');
    return null;
  };
}

function floatOf(reader: SerdeReader, name: string): number {
  return startsNumber(reader) ? Number(reader.number().value) : reader.unexpected(name, 'a number');
}

function countIn(reader: SerdeReader, name: string): Count {
  const wanted = 'a whole number from 0 to 18446744073709551615';
  if (!startsNumber(reader)) return reader.unexpected(name, wanted);
  const number = reader.number();
  if (number.kind === 'u64') return countOf(number.value);
  const found = Object.is(number.value, -0) ? '-0' : String(number.value);
  throw new BodyError(
    'data',
    `${name} must be ${wanted}, not ${found}${number.kind === 'f64' ? ', a float' : ''}`,
  );
}

function startsNumber(reader: SerdeReader): boolean {
  return /^[-0-9]$/.test(reader.peek() ?? '');
}
