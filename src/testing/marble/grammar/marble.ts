import { TidemarkError } from '../../../core/errors.js';
import type { JsonValue } from '../../../wire/json/json-value.js';

/** One mark on a row, in the column (from 0) in which it happens; all marks of a group share the group's first. */
export interface MarbleNotification {
  readonly column: number;
  readonly kind: 'next' | 'error' | 'complete';
  /** The character that stands there. */
  readonly letter: string;
}

/** What a letter of a row stands for. */
export interface MarbleBinding {
  readonly line: number;
  readonly letter: string;
  readonly value: JsonValue;
}

/** A row `^---!`: subscribed in one column, unsubscribed in another, or never. */
export interface MarbleSubscription {
  readonly line: number;
  readonly from: number;
  readonly to: number | null;
}

/** One stream of a marble file: an input, or an expected output. */
export interface MarbleStream {
  readonly line: number;
  readonly text: string;
  /** `input` or `output` when the file gives none. */
  readonly title: string;
  readonly notifications: readonly MarbleNotification[];
  readonly bindings: ReadonlyMap<string, MarbleBinding>;
  readonly subscriptions: readonly MarbleSubscription[];
  /** An input that begins anew for each subscriber. */
  readonly cold: boolean;
}

/** A line `> name(arguments)`. */
export interface MarbleCall {
  readonly line: number;
  readonly text: string;
  readonly name: string;
  readonly args: readonly JsonValue[];
}

/** A marble file, parsed: inputs, the operators between, and what is expected of them. */
export interface Marble {
  readonly file: string;
  /** The text, line by line. */
  readonly lines: readonly string[];
  /** The `%` lines that are no directives. */
  readonly story: readonly string[];
  /** The rules that the file shows, from its `% rule:` lines. */
  readonly rules: readonly string[];
  /** Milliseconds per column, from `% tick:`; 1 when absent. */
  readonly tickMs: number;
  readonly inputs: readonly MarbleStream[];
  readonly calls: readonly MarbleCall[];
  readonly outputs: readonly MarbleStream[];
}

/**
 * Why a marble file was refused or failed: `malformed-marble`, the text is none; `marble-call`, it names an
 * operator, an argument or a row that does not exist; `marble-failed`, it ran and a row is not as expected.
 */
export type MarbleErrorCode = 'malformed-marble' | 'marble-call' | 'marble-failed';

/** A marble file that was refused, or that did not hold. `line` counts from 1. */
export class MarbleError extends TidemarkError {
  override readonly name = 'MarbleError';

  constructor(
    code: MarbleErrorCode,
    readonly file: string,
    readonly line: number,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(code, code === 'marble-failed' ? reason : `${file}:${line}: ${reason}.`, options);
  }
}
