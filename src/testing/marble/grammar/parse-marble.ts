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

/** The contents of the `%` lines of a file: its story, the rules that it shows, and the length of a column. */
export type MarbleDirectives = Pick<Marble, 'story' | 'rules' | 'tickMs'>;

/** A `%` line of a file. `fail` reports an error with its line. */
export interface CommentLine {
  readonly text: string;
  readonly fail: RowFailure;
}

/** Separates the directives `% tick: 10ms` and `% rule: id` from the lines of the story. */
function parseDirectives(comments: readonly CommentLine[]): MarbleDirectives {
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
      if (rules.includes(content)) fail(0, `duplicate rule ${content}`);
      rules.push(content);
    } else {
      fail(0, `unknown directive ${JSON.stringify(name)}; the directives are tick and rule`);
    }
  }
  return { story, rules, tickMs: tickMs ?? 1 };
}

function tickOf(text: string, fail: RowFailure): number {
  const [, digits = '', unit = ''] = /^([0-9]+)([a-zµ]+)$/.exec(text) ?? [];
  const factor = UNITS[unit];
  const tickMs = Number(digits) * (factor ?? 0);
  if (factor === undefined || tickMs === 0 || !Number.isSafeInteger(tickMs))
    return fail(
      0,
      `${JSON.stringify(text)} is not a valid tick; write a whole number of ms, s or m, such as 10ms`,
    );
  return tickMs;
}

/** Collects the lines of one stream: its row, then subscriptions, settings and bindings in any order. */
class StreamLines {
  private readonly bindings = new Map<string, MarbleBinding>();
  private readonly subscriptions: MarbleSubscription[] = [];
  private readonly notifications;
  private title: string | undefined;
  private cold = false;

  constructor(
    private readonly text: string,
    private readonly line: number,
    private readonly fail: RowFailure,
    private readonly side: 'input' | 'output',
  ) {
    this.notifications = parseRow(text, fail);
  }

  /** Adds a row `^---!`: an expected subscription to an input, or the time in which an output is watched. */
  subscription(text: string, line: number, fail: RowFailure): void {
    if (this.side === 'output' && this.subscriptions.length > 0)
      fail(0, 'an output is watched only once, but this is its second row of subscriptions');
    this.subscriptions.push(parseSubscriptionRow(text, line, fail));
  }

  /** Applies a line `title = name` or `kind = cold`. */
  setting(name: string, value: string, fail: RowFailure): void {
    if (name === 'title') {
      if (this.title !== undefined) fail(0, 'this stream already has a title');
      this.title = value;
    } else if (name === 'kind' && value === 'cold' && this.side === 'input' && !this.cold) {
      this.cold = true;
    } else {
      fail(
        0,
        `"${name} = ${value}" is not a setting here; write "title = name", or "kind = cold" for an input`,
      );
    }
  }

  /** Adds a line `a := JSON`. */
  binding(letter: string, json: string, line: number, fail: RowFailure): void {
    if (!/^[A-Za-z#]$/.test(letter))
      fail(0, `${JSON.stringify(letter)} cannot be bound; bind one letter, or #`);
    if (this.bindings.has(letter)) fail(0, `${letter} is bound twice`);
    if (!this.notifications.some((notification) => notification.letter === letter))
      fail(0, `${letter} is bound, but is not in the row of line ${this.line}`);
    const read = parseJsonValue(json);
    if ('error' in read) return fail(0, `the value of ${letter} is not valid JSON: ${read.error.message}`);
    this.bindings.set(letter, { line, letter, value: read.value });
  }

  /** The stream, after all its lines were read. Every letter must be bound by then. */
  finish(): MarbleStream {
    const { line, text, notifications, bindings, subscriptions, cold } = this;
    for (const { letter, column } of notifications) {
      if (letter !== '|' && !bindings.has(letter))
        this.fail(column, `${letter} is not bound; give its value in a line "${letter} := JSON"`);
    }
    return { line, text, title: this.title ?? this.side, notifications, bindings, subscriptions, cold };
  }
}

/**
 * Parses a marble file. The syntax is that of the diagrams in the RxJS documentation (swirly); anything else is an error.
 *
 * 1. `%` lines are the story. `% tick: 10ms` sets the length of a column (1 ms when absent), and `% rule: id` names a rule
 *    that the file shows.
 * 2. Rows before the line `> operator(arguments)` are inputs, rows after it are expected outputs. Several operators, one
 *    per line, are applied in order. Arguments are literals.
 * 3. The lines below a row are `title = name`, one `a := JSON` for each of its letters, `# := JSON` for its error, and rows
 *    of subscriptions `^---!`. Several inputs, or several outputs, need different titles.
 * 4. Below an input, a row of subscriptions is expected of the operator, and with `kind = cold` the input starts again for
 *    each subscriber. Below an output, the row says when the output is watched.
 * 5. A row starts in the first column of the file. Every letter must be bound, and every binding used. Whole numbers of
 *    any size keep all their digits.
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
  for (const [index, untrimmed] of lines.entries()) {
    const line = index + 1;
    const content = untrimmed.trimEnd();
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
    else if (/^\s/.test(content)) fail(0, 'the line is indented; a row starts in the first column');
    else if (content.startsWith('>')) {
      if (sides.output.length > 0)
        fail(0, 'an operator is below an expected row; write it above the first one');
      calls.push(parseCall(content, line, fail));
    } else if (letter !== '') stream.binding(letter, json, line, fail);
    else if (setting !== '') stream.setting(setting, value, fail);
    else if (content.includes('^')) stream.subscription(content, line, fail);
    else sides[side].push(new StreamLines(content, line, fail, side));
  }
  const end = failureAt(file, lines.length);
  if (calls.length === 0)
    end(0, 'there is no operator; write a line "> name(arguments)" between inputs and outputs');
  if (sides.output.length === 0)
    end(0, 'there is no expected output; write at least one row below the operator');
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
  return () => fail(0, 'this line belongs below the row of a stream, but there is no row above it');
}

/** Checks that the titles of the inputs, or of the outputs, differ. So only one stream can have the default title. */
function titled(streams: readonly MarbleStream[], file: string): readonly MarbleStream[] {
  const seen = new Set<string>();
  for (const { title, line } of streams) {
    if (seen.has(title))
      failureAt(file, line)(0, `duplicate title ${JSON.stringify(title)}; give each stream its own title`);
    seen.add(title);
  }
  return streams;
}
