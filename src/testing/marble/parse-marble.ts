import type { Marble, MarbleCall, MarbleStream } from './marble.js';
import { MarbleError } from './marble-error.js';
import { parseCall } from './parse-call.js';
import { parseDirectives, type CommentLine } from './parse-directives.js';
import type { RowFailure } from './parse-row.js';
import { StreamLines } from './stream-lines.js';

/**
 * Parses a marble file: the syntax of RxJS's documentation pictures (swirly), and nothing that would pass
 * unnoticed.
 *
 * 1. `%` lines tell the story. `% tick: 10ms` says how long a column is (1 ms when absent), `% rule: id` names a
 *    rule that the file shows.
 * 2. Rows before the line `> operator(arguments)` are inputs, rows after it are expected outputs. Several
 *    operators stand one below the other and are applied in order. Arguments are literals.
 * 3. Below a row stand `title = name`, one line `a := JSON` for each letter in it, `# := JSON` for its error, and
 *    rows of subscriptions `^---!`. Several inputs, or outputs, need titles that differ.
 * 4. Below an input a row of subscriptions is expected of the operator, and `kind = cold` has the input begin anew
 *    for each subscriber; below an output the row says when it is watched.
 * 5. A row begins in the first column of the file. Every letter is bound and every binding used; whole numbers of
 *    any size are kept.
 *
 * @throws MarbleError with file and line, and what to do
 *
 * @example
 * ```ts
 * import { parseMarble } from 'tidemark/testing';
 *
 * const text = `% A value comes out doubled.
 * --a--|
 * a := 1
 *
 * > double
 *
 * --b--|
 * b := 2`;
 * const { outputs } = parseMarble(text, 'doubled.txt');
 * console.log(outputs[0]?.marks[0]);
 * // Logs: { column: 2, kind: 'next', letter: 'b' }
 * ```
 *
 * @see {@link runMarble}, {@link drawMarble}
 */
export function parseMarble(text: string, file: string): Marble {
  const lines = text.split(/\r?\n/);
  const comments: CommentLine[] = [];
  const calls: MarbleCall[] = [];
  const sides = { input: [] as StreamLines[], output: [] as StreamLines[] };
  for (const [index, whole] of lines.entries()) {
    const line = index + 1;
    const content = whole.trimEnd();
    const fail = failureAt(file, line);
    const side = calls.length === 0 ? 'input' : 'output';
    const stream = sides[side].at(-1) ?? {
      subscription: stray(fail),
      setting: stray(fail),
      binding: stray(fail),
    };
    const [, letter = '', json = ''] = /^(\S+)\s*:=\s*(.*)$/.exec(content) ?? [];
    const [, setting = '', value = ''] = /^([a-z_]+)\s*=\s*(.+)$/.exec(content) ?? [];
    if (content === '') continue;
    else if (content.startsWith('%')) comments.push({ text: content, fail });
    else if (/^\s/.test(content)) fail(0, 'the line is indented; a row begins in the first column');
    else if (content.startsWith('>')) {
      if (sides.output.length > 0)
        fail(0, 'an operator stands below an expected row; it belongs above the first');
      calls.push(parseCall(content, line, fail));
    } else if (letter !== '') stream.binding(letter, json, line, fail);
    else if (setting !== '') stream.setting(setting, value, fail);
    else if (content.includes('^')) stream.subscription(content, line, fail);
    else sides[side].push(new StreamLines(content, line, fail, side));
  }
  const end = failureAt(file, lines.length);
  if (calls.length === 0)
    end(0, 'there is no operator; write a line "> name(arguments)" between inputs and outputs');
  if (sides.output.length === 0) end(0, 'nothing is expected; write at least one row below the operator');
  const streamsOf = (streams: readonly StreamLines[]): readonly MarbleStream[] =>
    titled(
      streams.map((stream) => stream.finish()),
      file,
    );
  return {
    file,
    lines,
    ...parseDirectives(comments),
    inputs: streamsOf(sides.input),
    calls,
    outputs: streamsOf(sides.output),
  };
}

function failureAt(file: string, line: number): RowFailure {
  return (column, reason) => {
    throw new MarbleError(
      'malformed-marble',
      file,
      line,
      column === 0 ? reason : `column ${column}: ${reason}`,
    );
  };
}

function stray(fail: RowFailure): () => never {
  return () => fail(0, 'this belongs below the row of a stream, and there is none above it');
}

/** Titles tell streams of one side apart: a default title serves one stream only. */
function titled(streams: readonly MarbleStream[], file: string): readonly MarbleStream[] {
  const seen = new Set<string>();
  for (const { title, line } of streams) {
    if (seen.has(title))
      failureAt(file, line)(
        0,
        `a second stream is called ${JSON.stringify(title)}; give each a title of its own`,
      );
    seen.add(title);
  }
  return streams;
}
