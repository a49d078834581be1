import { filter, isObservable, map, merge, NEVER, switchMap, type Observable } from 'rxjs';
import type { FleetEvent } from '../core/fleet-event.js';
import type { ConfigChange, InstanceChange, MonitorSources } from '../core/load-monitor/monitor-sources.js';
import type { LoadThresholdUpdate } from '../core/load-thresholds.js';
import type { InstanceClient } from './instance-client.js';
import type { KvMonitorSources } from './kv-monitor-sources.js';

/** The prefill workers of a disaggregated fleet: a watch on them, or the client that routes to them. */
export type PrefillClient = InstanceClient | Observable<InstanceChange>;

/** The sources of one run, as `loadMonitor` takes them. */
export function loopSources(
  sources: KvMonitorSources,
  configs$: Observable<ConfigChange> | undefined,
  thresholds$: Observable<LoadThresholdUpdate>,
  prefill$: Observable<PrefillClient | undefined>,
): MonitorSources {
  const { client, loads, status, decodeInstances = client?.watch$ } = sources;
  const prefillEvents$ = prefill$.pipe(
    switchMap((prefill) =>
      prefill === undefined || isObservable(prefill) ? NEVER : prefill.events$.pipe(map(asPrefill)),
    ),
  );
  return {
    ...(configs$ && { configs: configs$ }),
    ...(loads && { loads }),
    ...(decodeInstances && { decodeInstances }),
    ...(status && { status }),
    prefillInstances: prefill$.pipe(
      filter((prefill) => prefill !== undefined),
      map((prefill) => (isObservable(prefill) ? prefill : prefill.watch$)),
    ),
    thresholds: thresholds$,
    events: merge(sources.events ?? NEVER, client?.events$ ?? NEVER, prefillEvents$),
  };
}

/** A worker that is back is back among those its client watches. */
function asPrefill(event: FleetEvent): FleetEvent {
  return event.kind === 'instance' ? { ...event, role: 'prefill' } : event;
}
