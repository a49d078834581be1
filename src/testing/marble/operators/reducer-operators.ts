import {
  NEVER,
  type Observable,
  type OperatorFunction,
  combineLatest,
  concatMap,
  distinctUntilChanged,
  map,
  pipe,
  scan,
  share,
  startWith,
  takeWhile,
} from 'rxjs';
import { TidemarkError } from '../../../core/errors.js';
import type { FleetStart } from '../../../core/events/fleet-event.js';
import {
  type FleetCounts,
  type FleetState,
  fleetStateOf,
  modelStateOf,
} from '../../../core/judgement/fleet-state.js';
import { reduceFleet } from '../../../core/pipeline/reduce-fleet.js';
import { busySets, cleanups, problems, transitions } from '../../../core/pipeline/selections.js';
import type { LoadPolicy } from '../../../core/policy/load-policy.js';
import type { FleetStep, Transition } from '../../../core/state/fleet-step.js';
import type { JsonValue } from '../../../wire/json/json-value.js';
import { parseRecordedEvent } from '../../../wire/recording/recorded-event.js';
import type { RecordedInput } from '../../../wire/recording/recording.js';
import { firstStep, step } from '../../model/model.js';
import { countsOf } from '../../model/verdicts.js';
import { recordedInputs } from '../../recordings/recorded-inputs.js';
import type { MarbleOperator, MarbleOperators, MarbleOutputs } from '../run/marble-operator.js';
import { requireValues } from './require-values.js';

/**
 * The event of a letter, in the JSON form of a recording. Unlike in a recording, an unknown field is an error: it would
 * make a diagram show something that does not happen.
 *
 * @throws TidemarkError that says what is wrong with it
 */
export function fleetEventOf(value: JsonValue): RecordedInput {
  const read = parseRecordedEvent(value);
  if ('error' in read) throw new TidemarkError('marble-call', `this is not an event: ${read.error.message}`);
  const { event } = read;
  if (event.kind === 'start' || event.kind === 'message')
    throw new TidemarkError(
      'marble-call',
      `an event of kind ${event.kind} is only for recordings; the operator takes the start as argument`,
    );
  const unread = unreadField(value, event);
  if (unread !== undefined)
    throw new TidemarkError('marble-call', `an event of kind ${event.kind} has no field ${unread}`);
  return event;
}

/** The path of the first given field that is missing in the result. A field that is `null` may be missing. */
function unreadField(given: JsonValue, result: unknown): string | undefined {
  if (typeof given !== 'object' || given === null || typeof result !== 'object' || result === null)
    return undefined;
  for (const [key, value] of Object.entries(given)) {
    if (value === null) continue;
    const inner: unknown =
      result instanceof Map
        ? result.get(key)
        : Object.hasOwn(result, key)
          ? result[key as keyof typeof result]
          : undefined;
    if (inner === undefined) return key;
    const below = unreadField(value, inner);
    if (below !== undefined) return `${key}.${below}`;
  }
  return undefined;
}

/**
 * `model({ policy, …start })`: the reference model over all inputs. Letters are events in the JSON form of a recording.
 *
 * 1. `policy` is a name in the table, `default` when absent. The other fields are those of a recording's `start`.
 * 2. `busy`: the busy workers, ascending, first the initial, empty set, then whenever the set differs.
 * 3. `transitions`: `{workerId, from, to}` of each transition. `cleanups`: each cleanup. `problems`: the code of each problem.
 * 4. `state`: the state of the pool, first the initial one, then whenever it differs.
 */
export const modelOperator = (lookup: PolicyLookup): MarbleOperator => ({
  read: fleetEventOf,
  build: (args, { merged$, scheduler }) => {
    const { policy, start } = fleetArguments(args, lookup);
    const first = firstStep(policy, start);
    const steps$ = merged$.pipe(
      fleetEvents('model'),
      scan((last, event) => step(last.state, event, scheduler.now()), first),
      takeWhile(({ state }) => state.phase === 'running', true),
      share(),
    );
    return {
      busy: steps$.pipe(
        startWith(first),
        map(({ state }) => [...state.busy.keys()]),
        distinctUntilChanged((a, b) => a.join() === b.join()),
      ),
      transitions: steps$.pipe(concatMap(({ transitions }) => transitions.map(shownTransition))),
      cleanups: steps$.pipe(concatMap(({ cleanups }) => cleanups)),
      problems: steps$.pipe(concatMap(({ problems }) => problems.map(({ code }) => code))),
      state: steps$.pipe(
        startWith(first),
        map(({ state }) => fleetStateOf(countsOf(state))),
        distinctUntilChanged(),
      ),
    } satisfies MarbleOutputs;
  },
});

/** How a transition is shown in a row. */
export const shownTransition = ({
  workerId,
  from,
  to,
}: Transition): Pick<Transition, 'workerId' | 'from' | 'to'> => ({
  workerId,
  from,
  to,
});

/** The state of the pool: the first one, then each one that differs from the one before. */
const poolStates = (): OperatorFunction<FleetStep, FleetState> =>
  pipe(
    map(({ fleet }) => fleetStateOf(fleet)),
    distinctUntilChanged(),
  );

/** The events that an operator takes, as {@link requireValues}. */
const fleetEvents = (operator: string): OperatorFunction<unknown, RecordedInput> =>
  requireValues<RecordedInput>(operator, 'events', ['kind', 'string']);

/** Finds the policy of a name in a marble file. */
export type PolicyLookup = (name: string) => LoadPolicy;

/**
 * The arguments `({ policy, …start })` of an operator over fleet events.
 *
 * @throws TidemarkError that says what is wrong with them
 */
export function fleetArguments(
  args: readonly JsonValue[],
  lookup: PolicyLookup,
): {
  readonly policy: LoadPolicy;
  readonly start: FleetStart;
} {
  const [given = {}, second] = args;
  if (second !== undefined || typeof given !== 'object' || given === null || Array.isArray(given))
    throw new TidemarkError(
      'marble-call',
      'it takes one object, such as { policy: "default", decodeInstances: ["7"] }',
    );
  const { policy = 'default', ...fields } = given as Readonly<Record<string, JsonValue>>;
  if (typeof policy !== 'string')
    throw new TidemarkError('marble-call', 'policy must be a name in the table of policies');
  const start = startOf(fields);
  return { policy: lookup(policy), start };
}

function startOf(fields: Readonly<Record<string, JsonValue>>): FleetStart {
  const read = parseRecordedEvent({ ...fields, kind: 'start' });
  if ('error' in read) throw new TidemarkError('marble-call', read.error.message);
  if (read.event.kind !== 'start') throw new TidemarkError('marble-call', 'a start has no field kind');
  const { cards, source, ...given } = fields;
  const unread = unreadField(
    {
      ...given,
      ...(cards !== undefined && { configs: cards }),
      ...(source !== undefined && { role: source }),
    },
    read.event,
  );
  if (unread !== undefined) throw new TidemarkError('marble-call', `a start has no field ${unread}`);
  return read.event;
}

/**
 * `reduceFleet({ policy, …start })`: the reducer and its selections over all inputs. Arguments, letters and outputs are
 * those of `model`, so that one file can check both.
 */
export const reduceOperator = (lookup: PolicyLookup): MarbleOperator => ({
  read: fleetEventOf,
  build: (args, { merged$, scheduler }) => {
    const { policy, start } = fleetArguments(args, lookup);
    const steps$ = merged$.pipe(
      fleetEvents('reduceFleet'),
      recordedInputs(start),
      reduceFleet(policy, start, scheduler),
      share(),
    );
    return {
      busy: steps$.pipe(
        busySets(),
        map((busy) => [...busy]),
      ),
      transitions: steps$.pipe(transitions(), map(shownTransition)),
      cleanups: steps$.pipe(cleanups()),
      problems: steps$.pipe(
        problems(),
        map(({ code }) => code),
      ),
      state: steps$.pipe(poolStates()),
    } satisfies MarbleOutputs;
  },
});

/**
 * `modelState({ policy, …start })`: the state of a model whose pools have the rows titled `decode` and `prefill`. Arguments
 * and letters are those of `reduceFleet`. The workers of a role are registered while they have an instance.
 * Output: `state`, first the initial one, then whenever it differs.
 */
export const modelStateOperator = (lookup: PolicyLookup): MarbleOperator => ({
  read: fleetEventOf,
  build: (args, { inputs, scheduler }) => {
    const { policy, start } = fleetArguments(args, lookup);
    const registered = (title: string): Observable<FleetCounts | null> =>
      (inputs[title] ?? NEVER).pipe(
        fleetEvents('modelState'),
        recordedInputs(start),
        reduceFleet(policy, start, scheduler),
        map(({ fleet }) => (fleet.instances > 0 ? fleet : null)),
      );
    return {
      state: combineLatest({ decode: registered('decode'), prefill: registered('prefill') }).pipe(
        map((roles) => modelStateOf(roles, policy)),
        distinctUntilChanged(),
      ),
    } satisfies MarbleOutputs;
  },
});

/**
 * `steps({ policy, …start })`: the steps of the reducer, for the operators below it. Arguments and letters are those of
 * `reduceFleet`. In a row, a step is its time and its busy workers.
 */
export const stepsOperator = (lookup: PolicyLookup): MarbleOperator => ({
  read: fleetEventOf,
  build: (args, { scheduler }) => {
    const { policy, start } = fleetArguments(args, lookup);
    return (events$: Observable<RecordedInput>) =>
      events$.pipe(
        fleetEvents('steps'),
        recordedInputs(start),
        reduceFleet(policy, start, scheduler),
        map((step) => ({ ...step, toJSON: () => ({ at: step.at, busy: [...step.busy] }) })),
      );
  },
});

/**
 * `busySets()`, `transitions()`, `cleanups()` and `problems()`, for use below `steps`. In a row, a busy set is the list of
 * its workers, a transition is `{workerId, from, to}`, and a problem is its code.
 */
export const selectionOperators = {
  busySets: selection('busySets', (steps$) =>
    steps$.pipe(
      busySets(),
      map((busy) => [...busy]),
    ),
  ),
  transitions: selection('transitions', (steps$) => steps$.pipe(transitions(), map(shownTransition))),
  cleanups: selection('cleanups', (steps$) => steps$.pipe(cleanups())),
  problems: selection('problems', (steps$) =>
    steps$.pipe(
      problems(),
      map(({ code }) => code),
    ),
  ),
} satisfies MarbleOperators;

function selection(
  name: string,
  select: (steps$: Observable<FleetStep>) => Observable<unknown>,
): MarbleOperator {
  const operator: OperatorFunction<unknown, unknown> = (steps$) =>
    select(steps$.pipe(requireValues<FleetStep>(name, 'steps', ['transitions', 'object'])));
  return {
    read: () => {
      throw new TidemarkError(
        'marble-call',
        `${name} takes steps, which a letter cannot represent; write "> steps({…})" above it`,
      );
    },
    build: (args) => {
      if (args.length > 0) throw new TidemarkError('marble-call', 'it takes no arguments');
      return operator;
    },
  };
}
