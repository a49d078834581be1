import { jsonValueOf } from '../../wire/json-value.js';
import type { MarbleBinding, MarbleStream, MarbleSubscription } from './marble.js';
import { parseRow, type RowFailure } from './parse-row.js';
import { parseSubscriptionRow } from './parse-subscription-row.js';

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
    const read = jsonValueOf(json);
    if ('error' in read) return fail(0, `what ${letter} is bound to is no JSON: ${read.error.message}`);
    this.bindings.set(letter, { line, letter, value: read.value });
  }

  /** The stream, once all its lines were read; every letter must be bound by then. */
  finish(): MarbleStream {
    const { line, text, marks, bindings, subscriptions, cold } = this;
    for (const { letter, column } of marks) {
      if (letter !== '|' && !bindings.has(letter))
        this.fail(column, `${letter} is not bound; say what it stands for in a line "${letter} := JSON"`);
    }
    return { line, text, title: this.title ?? this.side, marks, bindings, subscriptions, cold };
  }
}
