import { DecodeFailure } from '../decode-error.js';
import { decodeAscii, decodeUtf8 } from '../text-codecs.js';
import { skipJson } from './skip-json.js';

/**
 * A JSON value that keeps its offset, the text of a number, and every member of an object, including duplicates.
 * `JSON.parse` loses all three, and with the second the digits of a 64-bit id.
 */
export type JsonNode =
  | { readonly kind: 'null'; readonly offset: number }
  | { readonly kind: 'boolean'; readonly offset: number; readonly value: boolean }
  | { readonly kind: 'number'; readonly offset: number; readonly text: string }
  | { readonly kind: 'string'; readonly offset: number; readonly value: string }
  | { readonly kind: 'array'; readonly offset: number; readonly items: readonly JsonNode[] }
  | JsonObjectNode;

/** A JSON object as written: all members in order, including duplicates. */
export interface JsonObjectNode {
  readonly kind: 'object';
  readonly offset: number;
  readonly members: readonly JsonMember[];
}

/** One member of an object. */
export interface JsonMember {
  readonly key: string;
  readonly offset: number;
  readonly value: JsonNode;
}

const MAX_DEPTH = 128;
/** No release writes longer numbers. The limit bounds the time to parse one. */
const MAX_DIGITS = 4096;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

/** Options for parsing a document. */
export interface ParseOptions {
  /**
   * The members to keep if the document is an object. All others are skipped by {@link skipJson}. Defaults to all.
   */
  readonly members?: ReadonlySet<string>;
  /** Whether strings may be slices of the whole document, which then stays in memory with them. Faster. */
  readonly shared?: boolean;
}

/**
 * Parses one JSON document without loss: numbers keep their text, objects keep the order and duplicates of members,
 * and every node keeps its byte offset. It is as strict as RFC 8259 and allows at most 128 levels.
 *
 * @throws DecodeFailure (internal to wire/)
 */
export function parseLosslessJson(bytes: Uint8Array, options: ParseOptions = {}): JsonNode {
  const parser = new Parser(bytes, options);
  parser.skipSpace();
  if (parser.atEnd()) throw new DecodeFailure('empty', 'the JSON document is empty', 0);
  const node = parser.value(0);
  parser.skipSpace();
  if (!parser.atEnd())
    throw new DecodeFailure('trailing', 'something follows the JSON document', parser.offset);
  return node;
}

class Parser {
  offset = 0;
  private readonly wanted: ReadonlySet<string> | undefined;
  /** The text of the whole document if it is ASCII, so that characters and bytes have the same offsets. */
  private readonly asciiText: string | undefined;

  constructor(
    private readonly bytes: Uint8Array,
    { members, shared = false }: ParseOptions,
  ) {
    this.wanted = members;
    this.asciiText = shared ? decodeAscii(bytes) : undefined;
  }

  atEnd(): boolean {
    return this.offset >= this.bytes.length;
  }

  skipSpace(): void {
    while (isSpace(this.bytes[this.offset])) this.offset += 1;
  }

  value(depth: number): JsonNode {
    const offset = this.offset;
    switch (this.bytes[offset]) {
      case 0x7b:
        return { kind: 'object', offset, members: this.members(depth) };
      case 0x5b:
        return { kind: 'array', offset, items: this.items(depth) };
      case 0x22:
        return { kind: 'string', offset, value: this.string() };
      case 0x74:
        this.literal('true');
        return { kind: 'boolean', offset, value: true };
      case 0x66:
        this.literal('false');
        return { kind: 'boolean', offset, value: false };
      case 0x6e:
        this.literal('null');
        return { kind: 'null', offset };
      default:
        return { kind: 'number', offset, text: this.number() };
    }
  }

  private members(depth: number): JsonMember[] {
    const members: JsonMember[] = [];
    this.sequence(0x7d, depth, () => {
      const offset = this.offset;
      if (this.bytes[offset] !== 0x22) this.unexpected('a key in double quotes');
      const key = this.string();
      this.skipSpace();
      this.expect(0x3a, 'a colon');
      this.skipSpace();
      if (depth === 0 && this.wanted?.has(key) === false) this.offset = skipJson(this.bytes, this.offset);
      else members.push({ key, offset, value: this.value(depth + 1) });
    });
    return members;
  }

  private items(depth: number): JsonNode[] {
    const items: JsonNode[] = [];
    this.sequence(0x5d, depth, () => items.push(this.value(depth + 1)));
    return items;
  }

  /** Parses comma-separated elements from the bracket at the current offset to the closing one. */
  private sequence(close: number, depth: number, element: () => void): void {
    if (depth >= MAX_DEPTH)
      throw new DecodeFailure('too-deep', `more than ${MAX_DEPTH} levels of nesting`, this.offset);
    this.offset += 1;
    this.skipSpace();
    if (this.bytes[this.offset] === close) {
      this.offset += 1;
      return;
    }
    for (;;) {
      element();
      this.skipSpace();
      if (this.bytes[this.offset] === close) break;
      this.expect(0x2c, 'a comma or a closing bracket');
      this.skipSpace();
    }
    this.offset += 1;
  }

  private string(): string {
    const start = this.offset;
    let escaped = false;
    for (this.offset += 1; ; this.offset += 1) {
      const byte = this.bytes[this.offset];
      if (byte === 0x22) break;
      if (byte === undefined) this.unexpected('the end of a string');
      if (byte < 0x20) this.unexpected('a character that needs no escape');
      if (byte === 0x5c) {
        escaped = true;
        this.offset += 1;
      }
    }
    this.offset += 1;
    const text = this.part(start + 1, this.offset - 1);
    if (text === undefined) throw new DecodeFailure('invalid-utf8', 'a string is not valid UTF-8', start);
    return escaped ? unescape(text, start) : text;
  }

  private part(start: number, end: number): string | undefined {
    return this.asciiText?.slice(start, end) ?? decodeUtf8(this.bytes.subarray(start, end));
  }

  private number(): string {
    let end = this.offset;
    while (isNumberByte(this.bytes[end])) end += 1;
    const text = this.part(this.offset, Math.min(end, this.offset + MAX_DIGITS)) ?? '';
    NUMBER.lastIndex = 0;
    if (end - this.offset > MAX_DIGITS || NUMBER.exec(text)?.[0].length !== text.length)
      this.unexpected('a value');
    this.offset = end;
    return text;
  }

  private literal(word: string): void {
    for (let i = 0; i < word.length; i += 1) this.expect(word.charCodeAt(i), `the word ${word}`);
  }

  private expect(byte: number, what: string): void {
    if (this.bytes[this.offset] !== byte) this.unexpected(what);
    this.offset += 1;
  }

  private unexpected(wanted: string): never {
    if (this.atEnd())
      throw new DecodeFailure(
        'truncated',
        `the document ends where ${wanted} is expected`,
        this.bytes.length,
      );
    throw new DecodeFailure('malformed', `${wanted} is expected here`, this.offset);
  }
}

/** `JSON.parse` resolves escapes; for a single string it is lossless. */
function unescape(text: string, offset: number): string {
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    throw new DecodeFailure('malformed', 'a string has an invalid escape', offset);
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isNumberByte(byte: number | undefined): boolean {
  return (
    byte !== undefined && ((byte >= 0x30 && byte <= 0x39) || '+-.eE'.includes(String.fromCharCode(byte)))
  );
}
