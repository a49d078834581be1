import { NEVER, type Observable, filter, isObservable, map, merge, switchMap } from 'rxjs';
import { TidemarkError } from '../core/errors.js';
import type { FleetEvent, PoolRole } from '../core/events/fleet-event.js';
import type {
  ConfigChange,
  InstanceChange,
  MonitorOptions,
  MonitorSources,
} from '../core/pipeline/monitor-sources.js';
import type { LoadPolicy } from '../core/policy/load-policy.js';
import type { LoadThresholdUpdate } from '../core/policy/load-thresholds.js';
import { errorText } from '../operators/error-text.js';
import type { InstanceClient } from './instance-client.js';

/** A monitor could not be started, as there are no configurations to be had. Starting again tries again. */
export class ConfigsUnavailableError extends TidemarkError {
  override readonly name = 'ConfigsUnavailableError';

  constructor(cause: unknown) {
    const why = errorText(cause);
    super('configs-unavailable', `The configurations of the workers cannot be had: ${why}. Start again.`, {
      cause,
    });
  }
}

/** How a {@link KvWorkerMonitor} judges and runs. */
export interface KvMonitorOptions extends Pick<MonitorOptions, 'scheduler'> {
  /** The rules; `policies.default` when absent. */
  readonly policy?: LoadPolicy;
  /** The role of the monitored endpoint; `aggregated` when absent. */
  readonly role?: PoolRole;
}

/** What a {@link KvWorkerMonitor} takes: the sources of a `loadMonitor`, and the client that it publishes to. */
export interface KvMonitorSources extends Omit<
  MonitorSources,
  'configs' | 'prefillInstances' | 'thresholds'
> {
  /**
   * The cards, or a function that gets hold of them. The monitor does not start when the function throws or its
   * promise is rejected, nor when the stream fails before its first value.
   */
  readonly configs?:
    Observable<ConfigChange> | (() => Observable<ConfigChange> | PromiseLike<Observable<ConfigChange>>);
  /** Is told who is overloaded; and is the source of `decodeInstances` where those are absent, and of `events`. */
  readonly client?: InstanceClient;
}

/** The prefill workers of a disaggregated fleet: a watch on them, or the client that routes to them. */
export type PrefillClient = InstanceClient | Observable<InstanceChange>;

/** The sources of one run, as `loadMonitor` takes them. */
export function toMonitorSources(
  sources: KvMonitorSources,
  configs$: Observable<ConfigChange> | undefined,
  thresholds$: Observable<LoadThresholdUpdate>,
  prefill$: Observable<PrefillClient | undefined>,
): MonitorSources {
  const { client, loads, status, decodeInstances = client?.watch$ } = sources;
  const prefillEvents$ = prefill$.pipe(
    switchMap((prefill) =>
      prefill === undefined || isObservable(prefill) ? NEVER : prefill.events$.pipe(map(toPrefillEvent)),
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
function toPrefillEvent(event: FleetEvent): FleetEvent {
  return event.kind === 'instance' ? { ...event, role: 'prefill' } : event;
}
