import { MAX_U64 } from '../../../core/count.js';
import { TidemarkError } from '../../../core/errors.js';

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
 * An error of Dynamo's JSON parser. `syntax`: the text is not valid JSON up to the point where it was read. `data`: the JSON
 * is valid, but a value has the wrong type. The first error in the text is reported.
 */
export class RequestBodyError extends TidemarkError {
  override readonly name = 'RequestBodyError';

  constructor(
    readonly kind: 'syntax' | 'data',
    message: string,
  ) {
    super('request-body', message);
  }
}

/** A number with the type that serde_json gives it. */
export type SerdeNumber =
  { readonly kind: 'u64' | 'i64'; readonly value: bigint } | { readonly kind: 'f64'; readonly value: number };

const MIN_I64 = -0x8000_0000_0000_0000n;
const NUMBER = /^-?(?:0(?![0-9])|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads JSON value by value, like serde_json. Bytes after the last requested value are never read.
 */
export class SerdeReader {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  /** Returns the next byte that is not whitespace, without consuming it; `undefined` at the end. */
  peek(): string | undefined {
    while ([0x20, 0x0a, 0x0d, 0x09].includes(this.bytes[this.at] ?? 0)) this.at += 1;
    const byte = this.bytes[this.at];
    return byte === undefined ? undefined : String.fromCharCode(byte);
  }

  /** Consumes the next byte if it is the given one, and returns whether it was. */
  takeIf(char: string): boolean {
    if (this.peek() !== char) return false;
    this.at += 1;
    return true;
  }

  failSyntax(wanted: string): never {
    const found = this.peek();
    const what = found === undefined ? 'the end of the body' : JSON.stringify(found);
    throw new RequestBodyError('syntax', `expected ${wanted}, found ${what}, at byte ${this.at}`);
  }

  readWord(word: 'null' | 'true' | 'false'): void {
    this.peek();
    for (const char of word) {
      if (this.bytes[this.at] !== char.charCodeAt(0)) this.failSyntax(`the word ${word}`);
      this.at += 1;
    }
  }

  /** Reads a string and decodes it. */
  readString(): string {
    const raw = this.readRawString();
    try {
      const text = JSON.parse(`"${utf8.decode(raw)}"`) as string;
      if (!/\p{Surrogate}/u.test(text)) return text;
    } catch {
      // Reported below.
    }
    throw new RequestBodyError('syntax', `a string is not valid Unicode, before byte ${this.at}`);
  }

  readNumber(): SerdeNumber {
    const { text, isInteger } = this.readRawNumber();
    if (isInteger && text !== '-0') {
      const value = BigInt(text);
      if (value >= 0n && value <= MAX_U64) return { kind: 'u64', value };
      if (value < 0n && value >= MIN_I64) return { kind: 'i64', value };
    }
    const value = Number(text);
    if (!Number.isFinite(value))
      throw new RequestBodyError('syntax', `a number is out of range, before byte ${this.at}`);
    return { kind: 'f64', value };
  }

  /** Skips a value. Its syntax is checked, but not its numbers and its text. */
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

  /** Fails because the next value does not have the wanted type. */
  failUnexpected(name: string, wanted: string): never {
    const next = this.peek();
    let found: string;
    if (next === '"') found = `the string ${JSON.stringify(this.readString().slice(0, 100))}`;
    else if (next === '[') found = 'an array';
    else if (next === '{') found = 'an object';
    else if (next === 'n' || next === 't' || next === 'f') {
      const word = next === 'n' ? 'null' : next === 't' ? 'true' : 'false';
      this.readWord(word);
      found = word;
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

  private readRawNumber(): { readonly text: string; readonly isInteger: boolean } {
    this.peek();
    let end = this.at;
    while (/[-+.eE0-9]/.test(String.fromCharCode(this.bytes[end] ?? 0))) end += 1;
    const match = NUMBER.exec(utf8.decode(this.bytes.subarray(this.at, end)));
    if (match === null) this.failSyntax('a value');
    this.at += match[0].length;
    // A number cannot end with these characters.
    if ('.eE'.includes(String.fromCharCode(this.bytes[this.at] ?? 0))) this.failSyntax('a digit');
    return { text: match[0], isInteger: match[1] === undefined && match[2] === undefined };
  }

  /** Returns the bytes between the quotes, with escapes unchanged. */
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
    if (known === null) this.failSyntax('a valid escape');
    this.at += known[0].length - 1;
  }
}
