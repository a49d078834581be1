import { EMPTY, type Observable, type OperatorFunction, type SchedulerLike, merge } from 'rxjs';
import { errorText } from '../../../operators/error-text.js';
import type { JsonValue } from '../../../wire/json/json-value.js';
import { type Marble, type MarbleCall, MarbleError, type MarbleStream } from '../grammar/marble.js';
import { deepFreeze } from './record-emissions.js';

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

/** The title of what an operator without named outputs gives. */
const ONLY = 'output';

/**
 * Applies the operators of a file, one after the other, to its inputs. The result has every output that the file
 * expects.
 *
 * @throws MarbleError for an operator that refuses its arguments, and for a row whose output does not exist
 */
export function buildOutputs(
  marble: Marble,
  operators: MarbleOperators,
  inputs: MarbleOutputs,
  scheduler: SchedulerLike,
): MarbleOutputs {
  let streams = inputs;
  let single = false;
  for (const call of marble.calls) {
    const merged$ = merge(...(streams === inputs ? inFileOrder(marble, inputs) : Object.values(streams)));
    const built = build(marble, call, operators, { scheduler, inputs: streams, merged$ });
    single = typeof built === 'function';
    streams = typeof built === 'function' ? Object.fromEntries([[ONLY, applied(built, merged$)]]) : built;
  }
  const [first, second] = marble.outputs;
  if (single && first !== undefined && streams[ONLY] !== undefined) {
    if (second === undefined) return { [first.title]: streams[ONLY] };
    throw refusal(marble, second.line, 'the operator has one output, but this is a second expected row');
  }
  for (const { title, line } of marble.outputs) {
    if (!Object.hasOwn(streams, title))
      throw refusal(
        marble,
        line,
        `the operator has no output ${JSON.stringify(title)}; choose one of ${Object.keys(streams).join(', ')}`,
      );
  }
  return streams;
}

/**
 * The operator of that name.
 *
 * @throws MarbleError that lists the names there are
 */
export function operatorNamed(
  marble: Marble,
  call: MarbleCall,
  operators: MarbleOperators,
): Partial<MarbleOperator> {
  const found = Object.hasOwn(operators, call.name) ? operators[call.name] : undefined;
  if (found === undefined)
    throw refusal(
      marble,
      call.line,
      `there is no operator ${call.name}; choose one of ${Object.keys(operators).sort().join(', ')}`,
    );
  return typeof found === 'function' ? { build: found } : found;
}

function build(
  marble: Marble,
  call: MarbleCall,
  operators: MarbleOperators,
  context: Parameters<BuildMarbleOperator>[1],
): ReturnType<BuildMarbleOperator> {
  const { build: make } = operatorNamed(marble, call, operators);
  try {
    return make?.(call.args, context) ?? {};
  } catch (error) {
    const text = errorText(error);
    throw refusal(marble, call.line, `${call.name} cannot be built: ${text.replace(/\.$/, '')}`, error);
  }
}

/** An object lists keys that look like numbers first, wherever they stand in the file. */
function inFileOrder({ inputs }: Marble, streams: MarbleOutputs): Observable<unknown>[] {
  return inputs.map(({ title }) => streams[title] ?? EMPTY);
}

/** A table of operators knows what its operators take; here nothing is known about it. */
function applied(
  operator: OperatorFunction<never, unknown>,
  merged$: Observable<unknown>,
): Observable<unknown> {
  return (operator as OperatorFunction<unknown, unknown>)(merged$);
}

function refusal(marble: Marble, line: number, reason: string, cause?: unknown): MarbleError {
  return new MarbleError(
    'marble-call',
    marble.file,
    line,
    reason,
    cause === undefined ? undefined : { cause },
  );
}

/**
 * What the letters of an input stand for, as the first operator reads them, frozen. An error stays its JSON.
 *
 * @throws MarbleError with the line of a binding that the operator refuses
 */
export function inputValues(
  marble: Marble,
  stream: MarbleStream,
  operators: MarbleOperators,
): ReadonlyMap<string, unknown> {
  const [first] = marble.calls;
  const read = first && operatorNamed(marble, first, operators).read;
  const values = new Map<string, unknown>();
  for (const { letter, line, value } of stream.bindings.values())
    values.set(
      letter,
      deepFreeze(letter === '#' || !read ? value : readAt(marble, line, letter, () => read(value))),
    );
  return values;
}

function readAt(marble: Marble, line: number, letter: string, read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    const text = errorText(error);
    throw new MarbleError('malformed-marble', marble.file, line, `${letter}: ${text.replace(/\.$/, '')}`, {
      cause: error,
    });
  }
}
