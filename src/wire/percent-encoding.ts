import { DecodeFailure } from './decode-error.js';

const OTHERS = /[^A-Za-z0-9_-]+/g;
const BROKEN = /%(?![0-9A-Fa-f]{2})/;
const utf8 = new TextEncoder();

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
  return name.replace(OTHERS, (run) => Array.from(utf8.encode(run), percent).join(''));
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
