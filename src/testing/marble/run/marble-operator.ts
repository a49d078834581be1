import { EMPTY, type Observable, type OperatorFunction, type SchedulerLike, merge } from 'rxjs';
import { errorText } from '../../../operators/error-text.js';
import type { JsonValue } from '../../../wire/json/json-value.js';
import { type Marble, type MarbleCall, MarbleError, type MarbleStream } from '../grammar/marble.js';
import { deepFreeze } from './record-emissions.js';

/** What an operator of a marble file receives besides its arguments. */
export interface MarbleContext {
  /** Virtual time, in milliseconds. RxJS's own schedulers have the same time during a run. */
  readonly scheduler: SchedulerLike;
  /** The inputs of the file by title, in its order; below another operator, its one output. */
  readonly inputs: Readonly<Record<string, Observable<unknown>>>;
  /** All of them merged. Within a column they have the order of the file. */
  readonly merged$: Observable<unknown>;
}

/** Streams by title: the outputs of an operator that has several. A file checks those that it names. */
export type MarbleOutputs = Readonly<Record<string, Observable<unknown>>>;

/** Builds either an operator, which is applied to the merged inputs, or named outputs. */
export type BuildMarbleOperator = (
  args: readonly JsonValue[],
  context: MarbleContext,
) => OperatorFunction<never, unknown> | MarbleOutputs;

/** An operator that marble files can name, and that converts the JSON of its input letters. */
export interface MarbleOperator {
  /** The input value for the JSON of a letter. An exception refuses the file at the line of the binding. */
  readonly read: (value: JsonValue) => unknown;
  readonly build: BuildMarbleOperator;
}

/** The operators that marble files can name. */
export type MarbleOperators = Readonly<Record<string, BuildMarbleOperator | MarbleOperator>>;

/** The title of the output of an operator without named outputs. */
const SINGLE_OUTPUT = 'output';

/**
 * Applies the operators of a file, one after the other, to its inputs. The result has every output that the file
 * expects.
 *
 * @throws MarbleError for an operator that refuses its arguments, for one below an operator with named outputs, and for a
 *   row whose output does not exist
 */
export function buildOutputs(
  marble: Marble,
  operators: MarbleOperators,
  inputs: MarbleOutputs,
  scheduler: SchedulerLike,
): MarbleOutputs {
  let streams = inputs;
  let single = false;
  for (const [index, call] of marble.calls.entries()) {
    const above = marble.calls[index - 1];
    if (above !== undefined && !single)
      throw refusal(
        marble,
        call.line,
        `${call.name} cannot be below ${above.name}, which has the outputs ${Object.keys(streams).join(', ')}; remove it and ` +
          'name one of these outputs with "title = …" below its row, or write an operator with one output above it, such as steps',
      );
    const merged$ =
      streams === inputs ? merge(...inFileOrder(marble, inputs)) : (streams[SINGLE_OUTPUT] ?? EMPTY);
    const built = build(marble, call, operators, { scheduler, inputs: streams, merged$ });
    single = typeof built === 'function';
    streams =
      typeof built === 'function' ? Object.fromEntries([[SINGLE_OUTPUT, applied(built, merged$)]]) : built;
  }
  const [first, second] = marble.outputs;
  if (single && first !== undefined && streams[SINGLE_OUTPUT] !== undefined) {
    if (second === undefined) return { [first.title]: streams[SINGLE_OUTPUT] };
    throw refusal(marble, second.line, 'the operator has one output, but this is a second expected row');
  }
  for (const { title, line } of marble.outputs) {
    if (!Object.hasOwn(streams, title))
      throw refusal(
        marble,
        line,
        `the operator has no output ${JSON.stringify(title)}; its outputs are ${Object.keys(streams).join(', ')}`,
      );
  }
  return streams;
}

/**
 * Finds an operator by its name.
 *
 * @throws MarbleError that lists the available names
 */
function operatorNamed(
  marble: Marble,
  call: MarbleCall,
  operators: MarbleOperators,
): Partial<MarbleOperator> {
  const found = Object.hasOwn(operators, call.name) ? operators[call.name] : undefined;
  if (found === undefined)
    throw refusal(
      marble,
      call.line,
      `there is no operator ${call.name}; the operators are ${Object.keys(operators).sort().join(', ')}`,
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

/** The streams in the order of the file. The order of an object differs for keys that look like numbers. */
function inFileOrder({ inputs }: Marble, streams: MarbleOutputs): Observable<unknown>[] {
  return inputs.map(({ title }) => streams[title] ?? EMPTY);
}

/** Applies an operator. Its input type is unknown here; it has to fit the values of `read`. */
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
 * The values of the letters of an input, converted by the first operator and frozen. The value of an error is its JSON.
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
