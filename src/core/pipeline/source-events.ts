import { type Observable, catchError, map, mergeMap, of, throwError } from 'rxjs';
import { type WatchItem, attachLate } from '../../operators/attach-late.js';
import { errorText } from '../../operators/error-text.js';
import type { ActiveLoad, FleetEvent } from '../events/fleet-event.js';
import type { LoadBatch } from '../events/load-batch.js';
import type { Problem } from '../sources/problem.js';
import { fleetProblems } from '../state/fleet-problems.js';
import type { ConfigChange, InstanceChange, MonitorSources } from './monitor-sources.js';

/** One source as events, with the event that its error becomes, and the event that its end becomes (`null`: none). */
export interface NamedEvents {
  readonly name: string;
  readonly events$: Observable<FleetEvent | LoadBatch>;
  readonly failed: (error: unknown) => FleetEvent;
  readonly ended: FleetEvent | null;
}

/**
 * The sources as events, in the order in which they are subscribed to. Thresholds, configs and instances come before the
 * loads, so that the loads of synchronous sources find their workers known.
 */
export function sourceEvents(sources: MonitorSources): NamedEvents[] {
  const { thresholds, events, configs, decodeInstances, prefillInstances, loads } = sources;
  const named: (NamedEvents | undefined)[] = [
    thresholds &&
      withEndEvents(
        thresholds.pipe(map((change): FleetEvent => ({ kind: 'thresholds', ...change, checked: true }))),
        'thresholds',
      ),
    events && withEndEvents(events, 'events'),
    configs && withEndEvents(configs.pipe(map(configEvent)), 'configs'),
    decodeInstances && withEndEvents(decodeInstances.pipe(map(decodeEvent)), 'decodeInstances'),
    prefillInstances &&
      withEndEvents(
        attachLate(prefillInstances.pipe(catchError(failedWatch))).pipe(mergeMap(prefillEvents)),
        'prefillInstances',
      ),
    loads && withEndEvents(loads.pipe(map(loadEvent)), 'loads'),
  ];
  return named.filter((source) => source !== undefined);
}

type EndEvents = readonly [failed: (text: string) => FleetEvent, ended: FleetEvent | null];

const endEvents = {
  loads: [(text) => ({ kind: 'loadError', text }), { kind: 'loadStreamEnded' }],
  configs: [(text) => ({ kind: 'configError', text }), { kind: 'configsEnded' }],
  decodeInstances: [(text) => ({ kind: 'instancesError', text }), { kind: 'instancesEnded' }],
  // The end of these is neither a problem nor a status.
  prefillInstances: [(text) => ({ kind: 'instancesError', text }), null],
  thresholds: [sourceErrorEvent('thresholds'), null],
  events: [sourceErrorEvent('events'), null],
} satisfies Partial<Record<keyof MonitorSources, EndEvents>>;

function sourceErrorEvent(source: Problem['source']): EndEvents[0] {
  return (text) => ({ kind: 'problem', problem: fleetProblems.sourceError(source, text) });
}

function withEndEvents(
  events$: Observable<FleetEvent | LoadBatch>,
  name: keyof typeof endEvents,
): NamedEvents {
  const [failed, ended] = endEvents[name];
  const text = (error: unknown): string => `the source of ${name} failed: ${errorText(error)}`;
  return { name, events$, failed: (error) => failed(text(error)), ended };
}

function configEvent(change: ConfigChange): FleetEvent {
  return 'workerId' in change ? { kind: 'config', ...change } : { kind: 'configs', workers: change };
}

function decodeEvent(change: InstanceChange): FleetEvent {
  return 'workerId' in change
    ? { kind: 'instance', ...change }
    : { kind: 'decodeInstances', workerIds: [...change] };
}

function prefillEvents(item: WatchItem<InstanceChange>): FleetEvent[] {
  switch (item.kind) {
    case 'attached':
      return 'workerId' in item.value
        ? [
            { kind: 'prefillAttached', workerIds: [] },
            { kind: 'instance', role: 'prefill', watch: item.watch, ...item.value },
          ]
        : [{ kind: 'prefillAttached', workerIds: [...item.value] }];
    case 'next':
      return 'workerId' in item.value
        ? [{ kind: 'instance', role: 'prefill', watch: item.watch, ...item.value }]
        : [{ kind: 'prefillInstances', workerIds: [...item.value], watch: item.watch }];
    case 'closed':
      return [{ kind: 'prefillClosed', watch: item.watch }];
    case 'error': {
      const failed: FleetEvent = {
        kind: 'instancesError',
        text: `a watch on prefill instances failed: ${errorText(item.error)}`,
      };
      return item.watch === null ? [failed] : [failed, { kind: 'prefillClosed', watch: item.watch }];
    }
  }
}

/** The error of the outer stream as a watch that failed before its first value, so that the other watches continue. */
function failedWatch(error: unknown): Observable<Observable<InstanceChange>> {
  return of(throwError(() => error));
}

function loadEvent(load: ActiveLoad | LoadBatch): FleetEvent | LoadBatch {
  return 'workerId' in load ? { kind: 'load', ...load } : load;
}
