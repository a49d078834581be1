import type { JsonValue } from '../../wire/json-value.js';
import { LiteralReader } from './literal-reader.js';
import type { MarbleCall } from './marble.js';
import type { RowFailure } from './parse-row.js';

/** Reads a line `> name(arguments)`; the arguments are literals, and the brackets may be absent. */
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
