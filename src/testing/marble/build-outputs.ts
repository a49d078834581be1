import { EMPTY, merge, type Observable, type OperatorFunction, type SchedulerLike } from 'rxjs';
import type { Marble, MarbleCall } from './marble.js';
import { MarbleError } from './marble-error.js';
import type {
  BuildMarbleOperator,
  MarbleOperator,
  MarbleOperators,
  MarbleOutputs,
} from './marble-operator.js';
import { errorText } from '../../operators/error-text.js';

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
