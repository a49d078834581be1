import { DecodeFailure } from './decode-error.js';

const HEX_BYTES = /^(?:[0-9a-fA-F]{2})*$/;

/** Parses hexadecimal text. Returns `undefined` if it is not valid. */
export function parseHex(text: string): Uint8Array | undefined {
  if (!HEX_BYTES.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** Formats bytes as lower-case hexadecimal. */
export function formatHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const utf8Encoder = new TextEncoder();

/** Encodes text as UTF-8. */
export function encodeUtf8(text: string): Uint8Array {
  return utf8Encoder.encode(text);
}

/** Decodes UTF-8. Returns `undefined` if the bytes are not valid. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8Decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Decodes ASCII. Returns `undefined` if any byte is not ASCII. */
export function decodeAscii(bytes: Uint8Array): string | undefined {
  const text = decodeUtf8(bytes);
  // Any other UTF-8 has fewer characters than bytes.
  return text?.length === bytes.length ? text : undefined;
}

const OTHERS = /[^A-Za-z0-9_-]+/g;
const BROKEN = /%(?![0-9A-Fa-f]{2})/;

/**
 * Escapes a name for one segment of an event subject or of an event channel key: every byte of its UTF-8 form
 * outside `A-Z a-z 0-9 - _` becomes `%` and two upper-case hexadecimal digits.
 *
 * @example
 * ```ts
 * import { encodeSegment } from 'tidemark/wire';
 *
 * console.log(encodeSegment('generate.>'));
 * // Logs: generate%2E%3E
 * ```
 */
export function encodeSegment(name: string): string {
  return name.replace(OTHERS, (run) => Array.from(encodeUtf8(run), percent).join(''));
}

/**
 * Unescapes a segment. Digits may be in upper or lower case, and any character may be escaped, because Dynamo's file
 * backend escapes more characters than its subjects do.
 *
 * @throws DecodeFailure (internal to wire/): `malformed` for a `%` without two hexadecimal digits,
 *   `invalid-utf8` if the bytes are not valid UTF-8.
 */
export function decodeSegment(segment: string): string {
  const broken = segment.search(BROKEN);
  if (broken >= 0)
    throw new DecodeFailure('malformed', 'a percent sign must be followed by two hexadecimal digits', broken);
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new DecodeFailure('invalid-utf8', 'the escaped bytes are not valid UTF-8', segment.indexOf('%'));
  }
}

function percent(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

/**
 * Converts a name into a slug, as in the keys of LoRA cards and in service names: lower case, with every character
 * except `a-z 0-9 - _` replaced by `_`, and without leading `_`. The slug may be empty.
 *
 * @example
 * ```ts
 * import { toSlug } from 'tidemark/wire';
 *
 * console.log(toSlug('Org/My LoRA'));
 * // Logs: org_my_lora
 * ```
 */
export function toSlug(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9_-]/gu, '_')
    .replace(/^_+/, '');
}
