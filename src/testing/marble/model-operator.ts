import { concatMap, distinctUntilChanged, map, scan, share, skip, startWith, type Observable } from 'rxjs';
import type { FleetEvent, FleetStart } from '../../core/fleet-event.js';
import type { LoadPolicy } from '../../core/load-policy.js';
import type { JsonValue } from '../../wire/json-value.js';
import { recordedEventOfValue } from '../../wire/recorded-event-of-value.js';
import { firstStep, step } from '../model.js';
import { fleetEventOf, unreadField } from './fleet-event-of.js';
import type { MarbleOperator, MarbleOutputs } from './marble-operator.js';

/**
 * `model({ policy, …start })`: the reference model over all inputs, whose letters are events in the JSON form of a
 * recording.
 *
 * 1. `policy` is a name of the table, `default` when absent; the other fields are those of a recording's `start`.
 * 2. `busy`: the busy workers, ascending, whenever the set differs; the empty set at the beginning is not told.
 * 3. `transitions`: `{workerId, busy}` for each worker that crossed. `cleanups`: each one. `problems`: their codes.
 */
export const modelOperator = (lookup: PolicyLookup): MarbleOperator => ({
  read: fleetEventOf,
  build: (args, { merged$, scheduler }) => {
    const { policy, start } = fleetArguments(args, lookup);
    const first = firstStep(policy, start);
    const steps$ = (merged$ as Observable<FleetEvent>).pipe(
      scan((last, event) => step(last.state, event, scheduler.now()), first),
      share(),
    );
    return {
      busy: steps$.pipe(
        startWith(first),
        map(({ state }) => [...state.busy.keys()]),
        distinctUntilChanged((a, b) => a.join() === b.join()),
        skip(1),
      ),
      transitions: steps$.pipe(
        concatMap(({ transitions }) => transitions.map(({ workerId, busy }) => ({ workerId, busy }))),
      ),
      cleanups: steps$.pipe(concatMap(({ cleanups }) => cleanups)),
      problems: steps$.pipe(concatMap(({ problems }) => problems.map(({ code }) => code))),
    } satisfies MarbleOutputs;
  },
});

/** The policy that a name in a marble file means. */
export type PolicyLookup = (name: string) => LoadPolicy;

/**
 * The arguments `({ policy, …start })` of an operator over fleet events.
 *
 * @throws Error or TidemarkError that says what is wrong with them
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
    throw new Error('it takes one object, such as { policy: "default", decodeInstances: ["7"] }');
  const { policy = 'default', ...fields } = given as Readonly<Record<string, JsonValue>>;
  if (typeof policy !== 'string') throw new Error('policy must be a name of the table of policies');
  const start = startOf(fields);
  return { policy: lookup(policy), start };
}

function startOf(fields: Readonly<Record<string, JsonValue>>): FleetStart {
  const read = recordedEventOfValue({ ...fields, kind: 'start' });
  if ('error' in read) throw new Error(read.error.message);
  if (read.event.kind !== 'start') throw new Error('kind is no field of a start');
  const unread = unreadField(fields, read.event);
  if (unread !== undefined) throw new Error(`there is no field ${unread} in a start`);
  return read.event;
}
