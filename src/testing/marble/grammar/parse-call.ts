import { type JsonValue, parseNumber } from '../../../wire/json/json-value.js';
import type { MarbleCall } from './marble.js';
import type { RowFailure } from './parse-row.js';

const NUMBER = /[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?/y;
const WORD = /[A-Za-z_$][\w$]*/y;
const words: ReadonlyMap<string, JsonValue> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
]);
const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', '0': '\0' };

/** Reads JavaScript literals from one line of text. `fail` is called with the position and the reason of an error. */
class LiteralReader {
  at = 0;

  constructor(
    readonly text: string,
    private readonly fail: (at: number, reason: string) => never,
  ) {}

  /** Reads elements separated by commas, from the opening bracket at the current position to its closing bracket. */
  sequence(close: string, element: () => void): void {
    const open = this.at;
    this.at += 1;
    for (;;) {
      this.skipSpace();
      if (this.take(close)) return;
      if (this.at >= this.text.length) this.fail(open, `the ${this.text[open]} here is not closed`);
      element();
      this.skipSpace();
      if (!this.take(',') && this.text[this.at] !== close) this.expected(`a comma or ${close}`);
    }
  }

  /** Reads one literal: a number, a string in single or double quotes, an array, an object, `true`, `false` or `null`. */
  value(): JsonValue {
    this.skipSpace();
    switch (this.text[this.at]) {
      case '{':
        return this.object();
      case '[': {
        const items: JsonValue[] = [];
        this.sequence(']', () => items.push(this.value()));
        return items;
      }
      case '"':
      case "'":
        return this.string();
      default:
        return this.numberOrWord();
    }
  }

  skipSpace(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at += 1;
  }

  take(character: string): boolean {
    if (this.text[this.at] !== character) return false;
    this.at += 1;
    return true;
  }

  /** Reads a name, such as that of an operator or a key; `undefined` if there is none. */
  word(): string | undefined {
    return this.match(WORD);
  }

  expected(what: string): never {
    const found = this.text[this.at];
    return this.fail(
      this.at,
      `expected ${what}, but ${found === undefined ? 'the line ends' : `found ${JSON.stringify(found)}`}`,
    );
  }

  private object(): JsonValue {
    const entries = new Map<string, JsonValue>();
    this.sequence('}', () => {
      const at = this.at;
      const key = /["']/.test(this.text[at] ?? '') ? this.string() : (this.word() ?? this.expected('a key'));
      if (entries.has(key)) this.fail(at, `duplicate key ${JSON.stringify(key)}`);
      this.skipSpace();
      if (!this.take(':')) this.expected('a colon');
      entries.set(key, this.value());
    });
    return Object.fromEntries(entries);
  }

  private string(): string {
    const open = this.at;
    const quote = this.text[open];
    let text = '';
    for (this.at += 1; ; this.at += 1) {
      const character = this.text[this.at];
      if (character === undefined) this.fail(open, 'the string that starts here is not closed');
      if (character === quote) break;
      text += character === '\\' ? this.escape() : character;
    }
    this.at += 1;
    return text;
  }

  private escape(): string {
    this.at += 1;
    const character = this.text[this.at] ?? '';
    if (character !== 'u') return escapes[character] ?? character;
    const digits = this.text.slice(this.at + 1, this.at + 5);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail(this.at, '\\u needs four hexadecimal digits');
    this.at += 4;
    return String.fromCharCode(parseInt(digits, 16));
  }

  private numberOrWord(): JsonValue {
    const at = this.at;
    const number = this.match(NUMBER);
    if (number !== undefined) return parseNumber(number.replace(/^\+/, ''));
    const word = this.word();
    if (word === undefined) return this.expected('a value');
    const value = words.get(word);
    if (value === undefined)
      return this.fail(at, `${word} is not a value; only true, false and null are written without quotes`);
    return value;
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }
}

/** Reads a line `> name(arguments)`. The arguments are literals; without arguments the brackets are optional. */
export function parseCall(text: string, line: number, fail: RowFailure): MarbleCall {
  const reader = new LiteralReader(text, fail);
  const args: JsonValue[] = [];
  reader.at = 1;
  reader.skipSpace();
  const name = reader.word() ?? reader.expected('the name of an operator');
  reader.skipSpace();
  if (text[reader.at] === '(') reader.sequence(')', () => args.push(reader.value()));
  reader.skipSpace();
  if (reader.at < text.length) reader.expected('the end of the line');
  return { line, text: text.slice(1).trim(), name, args };
}
