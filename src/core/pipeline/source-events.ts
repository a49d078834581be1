import { type MonoTypeOperatorFunction, type OperatorFunction, identity, mergeMap, startWith } from 'rxjs';
import type { ActiveLoad, FleetEvent, LoadReceived, ThresholdTarget } from '../events/fleet-event.js';
import { type LoadBatch, columnsOf } from '../events/load-batch.js';
import type { LoadThresholdUpdate } from '../policy/load-thresholds.js';
import type { Problem } from '../sources/problem.js';
import { fleetProblems } from '../state/fleet-problems.js';
import { thresholdChangeEvents } from '../state/threshold-changes.js';
import { asEvents } from './as-events.js';
import type { ConfigChange } from './monitor-sources.js';

/**
 * Turns configs into events of the reducer.
 *
 * 1. The first event is an empty snapshot, which reports on subscription that the source exists.
 * 2. A snapshot of all configs gives one event, and so does one config that was added, replaced or removed.
 * 3. An error becomes a problem and the end of the source. The end becomes an event, and the policy decides what follows.
 *    It never errors.
 *
 * ```
 *   configs$  --1-----2---|        1: a snapshot   2: one config
 *            configEvents()
 *   events    o-a-----b---(e|)     o: an empty snapshot   e: the source ended
 * ```
 *
 * @see {@link instanceEvents}, {@link loadEvents}, {@link thresholdEvents}, {@link reduceFleet}
 */
export function configEvents(): OperatorFunction<ConfigChange, FleetEvent> {
  return (configs$) =>
    configs$.pipe(
      startWith<ConfigChange>(new Map()),
      asEvents('configs', configEvent, (text) => ({ kind: 'configError', text }), { kind: 'configsEnded' }),
    );
}

function configEvent(change: ConfigChange): FleetEvent {
  return 'workerId' in change ? { kind: 'config', ...change } : { kind: 'configs', workers: change };
}

/**
 * Turns loads into events of the reducer.
 *
 * 1. A load gives one event. A batch of loads is passed on as it is, and the reducer takes it load by load; one that is
 *    read after its call is an error of the source.
 * 2. An error becomes a problem and the end of the source. The end becomes an event, and the policy decides what follows.
 *    It never errors.
 *
 * ```
 *   loads$  --1--2---|
 *            loadEvents()
 *   events  --a--b---(e|)     e: the source ended
 * ```
 *
 * @see {@link configEvents}, {@link instanceEvents}, {@link thresholdEvents}, {@link reduceFleet}
 */
export function loadEvents(): OperatorFunction<
  ActiveLoad | LoadReceived | LoadBatch,
  FleetEvent | LoadBatch
> {
  return asEvents('loads', loadEvent, (text) => ({ kind: 'loadError', text }), { kind: 'loadStreamEnded' });
}

function loadEvent(load: ActiveLoad | LoadReceived | LoadBatch): FleetEvent | LoadBatch {
  if (!('kind' in load)) return { kind: 'load', ...load };
  // A batch that is read too late is an error of the source.
  if (load.kind === 'batch') columnsOf(load);
  return load;
}

/**
 * Turns changes of thresholds into events of the reducer.
 *
 * 1. The policy validates each change. A refused change is a problem, and changes nothing.
 * 2. A pool that is not the target ignores the change.
 * 3. If the target is a worker, each change has all thresholds of its own, as in {@link ThresholdsChanged}.
 * 4. An error becomes a problem. The end gives no event: the thresholds stay in force. It never errors.
 *
 * ```
 *   thresholds$  --1--2---|
 *            thresholdEvents()
 *   events       --a--b---|
 * ```
 *
 * @param target what the thresholds apply to
 *
 * @see {@link configEvents}, {@link instanceEvents}, {@link loadEvents}, {@link reduceFleet}
 */
export function thresholdEvents(
  target: ThresholdTarget = 'everything',
): OperatorFunction<LoadThresholdUpdate, FleetEvent> {
  return (thresholds$) =>
    thresholds$.pipe(
      mergeMap((change) => thresholdChangeEvents(change, target)),
      problemOnError('thresholds'),
    );
}

/** The events of the source `events`: its error becomes a problem, and its end gives no event. */
export function otherEvents(): MonoTypeOperatorFunction<FleetEvent> {
  return problemOnError('events');
}

function problemOnError(
  source: Extract<Problem['source'], 'thresholds' | 'events'>,
): MonoTypeOperatorFunction<FleetEvent> {
  return asEvents(source, identity, (text) => ({
    kind: 'problem',
    problem: fleetProblems.sourceError(source, text),
  }));
}
