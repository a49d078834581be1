import { type MonoTypeOperatorFunction, type OperatorFunction, map, startWith } from 'rxjs';
import type { ActiveLoad, FleetEvent, LoadReceived } from '../events/fleet-event.js';
import type { LoadBatch } from '../events/load-batch.js';
import type { LoadThresholdUpdate } from '../policy/load-thresholds.js';
import type { Problem } from '../sources/problem.js';
import { fleetProblems } from '../state/fleet-problems.js';
import { endAsEvents } from './end-as-events.js';
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
      map(configEvent),
      endAsEvents('configs', (text): FleetEvent => ({ kind: 'configError', text }), { kind: 'configsEnded' }),
    );
}

function configEvent(change: ConfigChange): FleetEvent {
  return 'workerId' in change ? { kind: 'config', ...change } : { kind: 'configs', workers: change };
}

/**
 * Turns loads into events of the reducer.
 *
 * 1. A load gives one event. A {@link LoadBatch} is passed on as it is, and the reducer takes it load by load.
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
  return (loads$) =>
    loads$.pipe(
      map(loadEvent),
      endAsEvents<FleetEvent | LoadBatch>('loads', (text) => ({ kind: 'loadError', text }), {
        kind: 'loadStreamEnded',
      }),
    );
}

function loadEvent(load: ActiveLoad | LoadReceived | LoadBatch): FleetEvent | LoadBatch {
  return 'workerId' in load && !('kind' in load) ? { kind: 'load', ...load } : load;
}

/**
 * Turns changes of thresholds into events of the reducer.
 *
 * 1. The policy validates each change. A refused change is a problem, and changes nothing.
 * 2. An error becomes a problem. The end gives no event: the thresholds stay in force. It never errors.
 *
 * ```
 *   thresholds$  --1--2---|
 *            thresholdEvents()
 *   events       --a--b---|
 * ```
 *
 * @see {@link configEvents}, {@link instanceEvents}, {@link loadEvents}, {@link reduceFleet}
 */
export function thresholdEvents(): OperatorFunction<LoadThresholdUpdate, FleetEvent> {
  return (thresholds$) =>
    thresholds$.pipe(
      map((change): FleetEvent => ({ kind: 'thresholds', ...change, checked: true })),
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
  return endAsEvents(source, (text): FleetEvent => ({
    kind: 'problem',
    problem: fleetProblems.sourceError(source, text),
  }));
}
