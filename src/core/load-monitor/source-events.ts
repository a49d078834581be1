import { catchError, concat, EMPTY, map, mergeMap, of, type Observable } from 'rxjs';
import { attachLate, type WatchItem } from '../../operators/attach-late.js';
import type { ActiveLoad } from '../active-load.js';
import type { FleetEvent } from '../fleet-event.js';
import type { LoadBatch } from '../load-batch.js';
import type { ConfigChange, InstanceChange, MonitorSources } from './monitor-sources.js';

/** The sources of a monitor that are judged by: their errors and ends are events. */
export type WatchedSource = 'configs' | 'decodeInstances' | 'prefillInstances' | 'loads';

/** One source as events, and its name. */
export interface NamedEvents {
  readonly name: string;
  readonly events$: Observable<FleetEvent | LoadBatch>;
}

/**
 * The sources as events, in the order in which they are subscribed to: what sets the scene comes before the loads,
 * so that synchronous sources meet a fleet that is known. An error is the source's last word; it and the end are
 * events.
 */
export function sourceEvents(sources: MonitorSources): NamedEvents[] {
  const { thresholds, events, configs, decodeInstances, prefillInstances, loads } = sources;
  const named: (NamedEvents | undefined)[] = [
    thresholds && {
      name: 'thresholds',
      events$: withLastWord(
        thresholds.pipe(map((change): FleetEvent => ({ kind: 'thresholds', ...change, checked: true }))),
        'thresholds',
      ),
    },
    events && { name: 'events', events$: withLastWord(events, 'events') },
    configs && { name: 'configs', events$: withLastWord(configs.pipe(map(configEvent)), 'configs') },
    decodeInstances && {
      name: 'decodeInstances',
      events$: withLastWord(decodeInstances.pipe(map(decodeEvent)), 'decodeInstances'),
    },
    prefillInstances && {
      name: 'prefillInstances',
      events$: withLastWord(attachLate(prefillInstances).pipe(mergeMap(prefillEvents)), 'prefillInstances'),
    },
    loads && { name: 'loads', events$: withLastWord(loads.pipe(map(loadEvent)), 'loads') },
  ];
  return named.filter((one) => one !== undefined);
}

type Ended = 'loadStreamEnded' | 'configsEnded' | 'instancesEnded';
type Failed = 'loadError' | 'configError' | 'instancesError';
const lastWords: Readonly<Record<string, { readonly failed: Failed; readonly ended: Ended | null }>> = {
  loads: { failed: 'loadError', ended: 'loadStreamEnded' },
  configs: { failed: 'configError', ended: 'configsEnded' },
  decodeInstances: { failed: 'instancesError', ended: 'instancesEnded' },
  // The end of these is neither a problem nor stale.
  prefillInstances: { failed: 'instancesError', ended: null },
  thresholds: { failed: 'configError', ended: null },
  events: { failed: 'configError', ended: null },
};

function withLastWord<T extends FleetEvent | LoadBatch>(
  events$: Observable<T>,
  name: string,
): Observable<FleetEvent | LoadBatch> {
  const { failed, ended } = lastWords[name] ?? { failed: 'configError', ended: null };
  const end$ = ended === null ? EMPTY : of<FleetEvent>({ kind: ended });
  const safe$ = (events$ as Observable<FleetEvent | LoadBatch>).pipe(
    catchError((error: unknown) =>
      of<FleetEvent>({ kind: failed, text: `the source of ${name} failed: ${textOf(error)}` }),
    ),
  );
  return concat(safe$, end$);
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
        text: `a watch on prefill instances failed: ${textOf(item.error)}`,
      };
      return item.watch === null ? [failed] : [failed, { kind: 'prefillClosed', watch: item.watch }];
    }
  }
}

function loadEvent(load: ActiveLoad | LoadBatch): FleetEvent | LoadBatch {
  return 'workerId' in load ? { kind: 'load', ...load } : load;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
