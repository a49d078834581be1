import type { Observable, OperatorFunction, SchedulerLike } from 'rxjs';
import type { JsonValue } from '../../wire/json-value.js';

/** What an operator of a marble file is given besides its arguments. */
export interface MarbleContext {
  /** Virtual time, in milliseconds. RxJS's own schedulers show the same time during a run. */
  readonly scheduler: SchedulerLike;
  /** The streams above the operator, by title, in the order of the file. */
  readonly inputs: Readonly<Record<string, Observable<unknown>>>;
  /** All of them merged; in one column the row that stands first is first. */
  readonly merged$: Observable<unknown>;
}

/** Streams by title: an operator with several outputs, of which a file checks those it names. */
export type MarbleOutputs = Readonly<Record<string, Observable<unknown>>>;

/** Builds what stands between inputs and outputs: an operator, applied to the merged inputs, or named outputs. */
export type BuildMarbleOperator = (
  args: readonly JsonValue[],
  context: MarbleContext,
) => OperatorFunction<never, unknown> | MarbleOutputs;

/** An operator that marble files can name, where letters of its inputs stand for more than their JSON. */
export interface MarbleOperator {
  /** What the operator is given for the JSON of a letter. A throw refuses the file at the line of the binding. */
  readonly read: (value: JsonValue) => unknown;
  readonly build: BuildMarbleOperator;
}

/** The operators that marble files can name. */
export type MarbleOperators = Readonly<Record<string, BuildMarbleOperator | MarbleOperator>>;
