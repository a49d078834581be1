import { MAX_U64 } from '../../../core/count.js';

/** A float as serde_json writes it: always with a fraction or an exponent, so that `1` is `1.0`. */
export function formatSerdeFloat(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const [mantissa = '', exponentText = '0'] = Math.abs(value).toExponential().split('e');
  const sign = value < 0 ? '-' : '';
  const digits = mantissa.replace('.', '');
  const exponent = Number(exponentText);
  const point = exponent + 1;
  if (point > 16 || point <= -5) return value.toExponential();
  if (point >= digits.length) return `${sign}${digits.padEnd(point, '0')}.0`;
  if (point > 0) return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
  return `${sign}0.${'0'.repeat(-point)}${digits}`;
}

/**
 * Why Dynamo's JSON parser gives up: `syntax`, the text is no JSON as far as it was read; `data`, it is, and the value
 * is not what belongs there. Whichever comes first in the text counts.
 */
export class RequestBodyError extends Error {
  constructor(
    readonly kind: 'syntax' | 'data',
    message: string,
  ) {
    super(message);
  }
}

/** The value of a number as serde_json tells it apart. */
export type SerdeNumber =
  { readonly kind: 'u64' | 'i64'; readonly value: bigint } | { readonly kind: 'f64'; readonly value: number };

const MIN_I64 = -0x8000_0000_0000_0000n;
const NUMBER = /^-?(?:0(?![0-9])|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * JSON read value by value, as serde_json reads it from bytes: what stands behind the last value that was asked for is
 * never looked at.
 */
export class SerdeReader {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  /** The next byte that is no space, `undefined` at the end. It stays. */
  peek(): string | undefined {
    while ([0x20, 0x0a, 0x0d, 0x09].includes(this.bytes[this.at] ?? 0)) this.at += 1;
    const byte = this.bytes[this.at];
    return byte === undefined ? undefined : String.fromCharCode(byte);
  }

  /** Takes the next byte if it is the one. */
  takeIf(char: string): boolean {
    if (this.peek() !== char) return false;
    this.at += 1;
    return true;
  }

  failSyntax(wanted: string): never {
    const found = this.peek();
    const what = found === undefined ? 'the body ends' : `there is ${JSON.stringify(found)}`;
    throw new RequestBodyError('syntax', `${what} where ${wanted} belongs, at byte ${this.at}`);
  }

  readWord(readWord: 'null' | 'true' | 'false'): void {
    this.peek();
    for (const char of readWord) {
      if (this.bytes[this.at] !== char.charCodeAt(0)) this.failSyntax(`the word ${readWord}`);
      this.at += 1;
    }
  }

  /** A string whose text matters. */
  readString(): string {
    const raw = this.readRawString();
    try {
      const text = JSON.parse(`"${utf8.decode(raw)}"`) as string;
      if (!/\p{Surrogate}/u.test(text)) return text;
    } catch {
      // Told below.
    }
    throw new RequestBodyError('syntax', `a string is no valid Unicode, before byte ${this.at}`);
  }

  readNumber(): SerdeNumber {
    const { text, whole } = this.readRawNumber();
    if (whole && text !== '-0') {
      const value = BigInt(text);
      if (value >= 0n && value <= MAX_U64) return { kind: 'u64', value };
      if (value < 0n && value >= MIN_I64) return { kind: 'i64', value };
    }
    const value = Number(text);
    if (!Number.isFinite(value))
      throw new RequestBodyError('syntax', `a number is out of range, before byte ${this.at}`);
    return { kind: 'f64', value };
  }

  /** Any value, which nobody asks for: its shape is checked, not its numbers and not its text. */
  skip(): void {
    const closing: string[] = [];
    for (;;) {
      const next = this.peek();
      if (next === '{' || next === '[') {
        this.at += 1;
        closing.push(next === '{' ? '}' : ']');
        if (this.peek() !== closing.at(-1)) {
          this.skipKey(closing);
          continue;
        }
      } else this.skipScalar(next);
      while (closing.length > 0 && this.takeIf(closing.at(-1) ?? '')) closing.pop();
      if (closing.length === 0) return;
      if (!this.takeIf(',')) this.failSyntax(`a comma or ${closing.at(-1)}`);
      this.skipKey(closing);
    }
  }

  readColon(): void {
    if (!this.takeIf(':')) this.failSyntax('a colon');
  }

  /** What stands here in place of the type that belongs here. */
  failUnexpected(name: string, wanted: string): never {
    const next = this.peek();
    let found: string;
    if (next === '"') found = `the string ${JSON.stringify(this.readString().slice(0, 100))}`;
    else if (next === '[') found = 'an array';
    else if (next === '{') found = 'an object';
    else if (next === 'n' || next === 't' || next === 'f') {
      const readWord = next === 'n' ? 'null' : next === 't' ? 'true' : 'false';
      this.readWord(readWord);
      found = readWord;
    } else if (next === '-' || (next !== undefined && next >= '0' && next <= '9'))
      found = String(this.readNumber().value);
    else this.failSyntax('a value');
    throw new RequestBodyError('data', `${name} must be ${wanted}, not ${found}`);
  }

  private skipKey(closing: readonly string[]): void {
    if (closing.at(-1) !== '}') return;
    if (this.peek() !== '"') this.failSyntax('a key in double quotes');
    this.readRawString();
    this.readColon();
  }

  private skipScalar(next: string | undefined): void {
    if (next === '"') this.readRawString();
    else if (next === 'n') this.readWord('null');
    else if (next === 't') this.readWord('true');
    else if (next === 'f') this.readWord('false');
    else this.readRawNumber();
  }

  private readRawNumber(): { readonly text: string; readonly whole: boolean } {
    this.peek();
    let end = this.at;
    while (/[-+.eE0-9]/.test(String.fromCharCode(this.bytes[end] ?? 0))) end += 1;
    const match = NUMBER.exec(utf8.decode(this.bytes.subarray(this.at, end)));
    if (match === null) this.failSyntax('a value');
    this.at += match[0].length;
    // What a number cannot end with.
    if ('.eE'.includes(String.fromCharCode(this.bytes[this.at] ?? 0))) this.failSyntax('a digit');
    return { text: match[0], whole: match[1] === undefined && match[2] === undefined };
  }

  /** The bytes between the quotes, escapes as they stand. */
  private readRawString(): Uint8Array {
    const start = this.at + 1;
    for (this.at = start; ; this.at += 1) {
      const byte = this.bytes[this.at];
      if (byte === undefined || byte < 0x20) this.failSyntax('the end of a string');
      if (byte === 0x22) break;
      if (byte === 0x5c) this.skipEscape();
    }
    this.at += 1;
    return this.bytes.subarray(start, this.at - 1);
  }

  private skipEscape(): void {
    const rest = String.fromCharCode(...this.bytes.subarray(this.at, this.at + 6));
    const known = /^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.exec(rest);
    if (known === null) this.failSyntax('an escape that JSON knows');
    this.at += known[0].length - 1;
  }
}
