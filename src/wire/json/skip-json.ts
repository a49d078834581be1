import { DecodeFailure } from '../decode-error.js';

const QUOTE = 0x22;
const CLOSING: Readonly<Record<number, number>> = { 0x5b: 0x5d, 0x7b: 0x7d };
const LITERALS: Readonly<Record<number, string>> = { 0x74: 'true', 0x66: 'false', 0x6e: 'null' };
/** The characters that may follow a backslash. */
const ESCAPES = '"\\/bfnrt';

/**
 * Skips one JSON value and returns the offset of its end. Like the original, it checks only the syntax of unknown
 * values: strings need not be UTF-8, numbers may have any size, and nesting may have any depth.
 *
 * @throws DecodeFailure (internal to wire/)
 */
export function skipJson(bytes: Uint8Array, start: number): number {
  let at = start;
  const open: number[] = [];

  const broken = (): never => {
    const ended = at >= bytes.length;
    throw new DecodeFailure(
      ended ? 'truncated' : 'malformed',
      ended ? 'the document ends inside a value' : 'the JSON value is malformed here',
      Math.min(at, bytes.length),
    );
  };
  const space = (): void => {
    while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at += 1;
  };
  const expect = (byte: number): void => {
    if (bytes[at] !== byte) broken();
    at += 1;
  };
  const digits = (): void => {
    if (!isDigit(bytes[at])) broken();
    while (isDigit(bytes[at])) at += 1;
  };
  const number = (): void => {
    if (bytes[at] === 0x2d) at += 1;
    if (bytes[at] === 0x30) at += 1;
    else digits();
    if (bytes[at] === 0x2e) {
      at += 1;
      digits();
    }
    if (bytes[at] === 0x65 || bytes[at] === 0x45) {
      at += 1;
      if (bytes[at] === 0x2b || bytes[at] === 0x2d) at += 1;
      digits();
    }
  };
  const escape = (): void => {
    const kind = String.fromCharCode(bytes[at] ?? 0);
    if (kind !== 'u' && !ESCAPES.includes(kind)) broken();
    at += 1;
    for (let digit = 0; kind === 'u' && digit < 4; digit += 1, at += 1) if (!isHex(bytes[at])) broken();
  };
  const text = (): void => {
    expect(QUOTE);
    while (bytes[at] !== QUOTE) {
      if ((bytes[at] ?? 0) < 0x20) broken();
      at += 1;
      if (bytes[at - 1] === 0x5c) escape();
    }
    at += 1;
  };
  const key = (): void => {
    text();
    space();
    expect(0x3a);
    space();
  };
  /** Skips a value, or only the opening bracket of an array or object. */
  const begin = (): void => {
    const byte = bytes[at] ?? 0;
    const close = CLOSING[byte];
    const literal = LITERALS[byte];
    if (byte === QUOTE) text();
    else if (literal !== undefined) for (let i = 0; i < literal.length; i += 1) expect(literal.charCodeAt(i));
    else if (close === undefined) number();
    else {
      at += 1;
      open.push(close);
    }
  };

  for (;;) {
    const depth = open.length;
    begin();
    let first = open.length > depth;
    // After a value: any closing brackets, then a comma or the end of the outermost value.
    for (;;) {
      const close = open.at(-1);
      if (close === undefined) return at;
      space();
      if (bytes[at] === close) {
        at += 1;
        open.pop();
        first = false;
        continue;
      }
      if (!first) {
        expect(0x2c);
        space();
      }
      if (close === 0x7d) key();
      break;
    }
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function isHex(byte: number | undefined): boolean {
  return isDigit(byte) || (byte !== undefined && /[a-fA-F]/.test(String.fromCharCode(byte)));
}
