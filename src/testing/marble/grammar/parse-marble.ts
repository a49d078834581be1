import { parseJsonValue } from '../../../wire/json/json-value.js';
import {
  type Marble,
  type MarbleBinding,
  type MarbleCall,
  MarbleError,
  type MarbleStream,
  type MarbleSubscription,
} from './marble.js';
import { parseCall } from './parse-call.js';
import { type RowFailure, parseRow, parseSubscriptionRow } from './parse-row.js';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };
const DIRECTIVE = /^%\s*(ticks?|rules?)\s*:\s*(.*)$/i;

/** What the `%` lines of a file say: its story, the rules it shows, and how long a column is. */
export type MarbleDirectives = Pick<Marble, 'story' | 'rules' | 'tickMs'>;

/** A `%` line of a file. `fail` tells the line. */
export interface CommentLine {
  readonly text: string;
  readonly fail: RowFailure;
}

/** Tells the directives `% tick: 10ms` and `% rule: id` from the lines of the story. */
export function parseDirectives(comments: readonly CommentLine[]): MarbleDirectives {
  const story: string[] = [];
  const rules: string[] = [];
  let tickMs: number | undefined;
  for (const { text, fail } of comments) {
    const [, name = '', content = ''] = DIRECTIVE.exec(text) ?? [];
    if (name === '') {
      story.push(text.slice(1).trim());
    } else if (name === 'tick') {
      if (tickMs !== undefined) fail(0, 'the tick is set twice');
      tickMs = tickOf(content, fail);
    } else if (name === 'rule') {
      if (content === '') fail(0, 'a rule has no id');
      if (rules.includes(content)) fail(0, `the rule ${content} stands twice`);
      rules.push(content);
    } else {
      fail(0, `there is no directive ${JSON.stringify(name)}; there are tick and rule`);
    }
  }
  return { story, rules, tickMs: tickMs ?? 1 };
}

function tickOf(text: string, fail: RowFailure): number {
  const [, digits = '', unit = ''] = /^([0-9]+)([a-zµ]+)$/.exec(text) ?? [];
  const factor = UNITS[unit];
  const tickMs = Number(digits) * (factor ?? 0);
  if (factor === undefined || tickMs === 0 || !Number.isSafeInteger(tickMs))
    return fail(0, `${JSON.stringify(text)} is no tick; write a whole number of ms, s or m, such as 10ms`);
  return tickMs;
}

/** The lines of one stream, gathered: its row, then subscriptions, settings and bindings in any order. */
export class StreamLines {
  private readonly bindings = new Map<string, MarbleBinding>();
  private readonly subscriptions: MarbleSubscription[] = [];
  private readonly marks;
  private title: string | undefined;
  private cold = false;

  constructor(
    private readonly text: string,
    private readonly line: number,
    private readonly fail: RowFailure,
    private readonly side: 'input' | 'output',
  ) {
    this.marks = parseRow(text, fail);
  }

  /** A row `^---!`: of an input, a subscription that is expected; of an output, the time in which it is watched. */
  subscription(text: string, line: number, fail: RowFailure): void {
    if (this.side === 'output' && this.subscriptions.length > 0)
      fail(0, 'an output is watched once, but this is its second row of subscriptions');
    this.subscriptions.push(parseSubscriptionRow(text, line, fail));
  }

  /** A line `title = name` or `kind = cold`. */
  setting(name: string, value: string, fail: RowFailure): void {
    if (name === 'title') {
      if (this.title !== undefined) fail(0, 'this stream has a title already');
      this.title = value;
    } else if (name === 'kind' && value === 'cold' && this.side === 'input' && !this.cold) {
      this.cold = true;
    } else {
      fail(
        0,
        `"${name} = ${value}" is no setting here; there are "title = name", and "kind = cold" for an input`,
      );
    }
  }

  /** A line `a := JSON`. */
  binding(letter: string, json: string, line: number, fail: RowFailure): void {
    if (!/^[A-Za-z#]$/.test(letter)) fail(0, `${JSON.stringify(letter)} is no letter; bind one letter, or #`);
    if (this.bindings.has(letter)) fail(0, `${letter} is bound twice`);
    if (!this.marks.some((mark) => mark.letter === letter))
      fail(0, `${letter} is bound, but does not stand in the row of line ${this.line}`);
    const read = parseJsonValue(json);
    if ('error' in read) return fail(0, `what ${letter} is bound to is no JSON: ${read.error.message}`);
    this.bindings.set(letter, { line, letter, value: read.value });
  }

  /** The stream, once all its lines were read; every letter must be bound by then. */
  finish(): MarbleStream {
    const { line, text, marks: notifications, bindings, subscriptions, cold } = this;
    for (const { letter, column } of notifications) {
      if (letter !== '|' && !bindings.has(letter))
        this.fail(column, `${letter} is not bound; say what it stands for in a line "${letter} := JSON"`);
    }
    return { line, text, title: this.title ?? this.side, notifications, bindings, subscriptions, cold };
  }
}

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
 * console.log(outputs[0]?.notifications[0]);
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
