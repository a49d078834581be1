import { TidemarkError } from '../../../core/errors.js';
import type { JsonValue } from '../../../wire/json/json-value.js';

/** One notification of a row. `column` counts from 0; all notifications of a group have the first column of the group. */
export interface MarbleNotification {
  readonly column: number;
  readonly kind: 'next' | 'error' | 'complete';
  /** Its character in the row. */
  readonly letter: string;
}

/** The value of a letter of a row. */
export interface MarbleBinding {
  readonly line: number;
  readonly letter: string;
  readonly value: JsonValue;
}

/** A row `^---!`: the columns of subscription and unsubscription; `to` is `null` without unsubscription. */
export interface MarbleSubscription {
  readonly line: number;
  readonly from: number;
  readonly to: number | null;
}

/** One stream of a marble file: an input, or an expected output. */
export interface MarbleStream {
  readonly line: number;
  readonly text: string;
  /** `input` or `output` when the file gives no title. */
  readonly title: string;
  readonly notifications: readonly MarbleNotification[];
  readonly bindings: ReadonlyMap<string, MarbleBinding>;
  readonly subscriptions: readonly MarbleSubscription[];
  /** Whether it is an input that starts again for each subscriber. */
  readonly cold: boolean;
}

/** A line `> name(arguments)`. */
export interface MarbleCall {
  readonly line: number;
  readonly text: string;
  readonly name: string;
  readonly args: readonly JsonValue[];
}

/** A parsed marble file: inputs, operators and expected outputs. */
export interface Marble {
  readonly file: string;
  /** The text, line by line. */
  readonly lines: readonly string[];
  /** The `%` lines that are not directives. */
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
 * Why a marble file was refused or failed: `malformed-marble`, its syntax is invalid; `marble-call`, it names an operator,
 * an argument or a row that does not exist; `marble-failed`, it ran and a row is not as expected.
 */
export type MarbleErrorCode = 'malformed-marble' | 'marble-call' | 'marble-failed';

/** A marble file that was refused or failed. `line` counts from 1. */
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
