import { DecodeFailure } from './decode-error.js';

const HEX_BYTES = /^(?:[0-9a-fA-F]{2})*$/;

/** The bytes that a hexadecimal text stands for, or `undefined` when it is none. */
export function parseHex(text: string): Uint8Array | undefined {
  if (!HEX_BYTES.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** Bytes as lower-case hexadecimal. */
export function formatHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of bytes that are UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8Decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The text of bytes that are all ASCII. Of other UTF-8 it has fewer characters. */
export function decodeAscii(bytes: Uint8Array): string | undefined {
  const text = decodeUtf8(bytes);
  return text?.length === bytes.length ? text : undefined;
}

const OTHERS = /[^A-Za-z0-9_-]+/g;
const BROKEN = /%(?![0-9A-Fa-f]{2})/;
/** Encodes text as UTF-8. */
export const utf8Encoder = new TextEncoder();

/**
 * Escapes a name for one segment of an event subject or of an event-channel key: every byte of its UTF-8 form
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
  return name.replace(OTHERS, (run) => Array.from(utf8Encoder.encode(run), percent).join(''));
}

/**
 * The name that a segment stands for. Digits may be of either case, and characters that need no escape may be
 * escaped: the file store of Dynamo escapes more than its subjects do.
 *
 * @throws DecodeFailure, inside this room: `malformed` for a `%` without two hexadecimal digits, `invalid-utf8`
 *   for bytes that are no UTF-8.
 */
export function decodeSegment(segment: string): string {
  const broken = segment.search(BROKEN);
  if (broken >= 0)
    throw new DecodeFailure('malformed', 'a percent sign without two hexadecimal digits', broken);
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new DecodeFailure('invalid-utf8', 'the escaped bytes are no UTF-8', segment.indexOf('%'));
  }
}

function percent(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

/**
 * The suffix that the key of a LoRA card has for an adapter's name: lower case, everything but `a-z 0-9 - _`
 * replaced by `_`, no `_` at the beginning. It is empty for a name of which nothing is left.
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
