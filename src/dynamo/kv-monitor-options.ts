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

/** The monitor could not start, because the configs are not available. Starting again retries. */
export class ConfigsUnavailableError extends TidemarkError {
  override readonly name = 'ConfigsUnavailableError';

  constructor(cause: unknown) {
    const why = errorText(cause);
    super(
      'configs-unavailable',
      `The configs of the workers are not available: ${why}. Call startMonitoring() again to retry.`,
      {
        cause,
      },
    );
  }
}

/** The options of a {@link KvWorkerMonitor}. */
export interface KvMonitorOptions extends Pick<MonitorOptions, 'scheduler'> {
  /** The rules; `policies.default` when absent. */
  readonly policy?: LoadPolicy;
  /** The role of the monitored endpoint; `aggregated` when absent. */
  readonly role?: PoolRole;
}

/** The sources of a {@link KvWorkerMonitor}: those of a `loadMonitor`, and the client that it notifies. */
export interface KvMonitorSources extends Omit<
  MonitorSources,
  'configs' | 'prefillInstances' | 'thresholds'
> {
  /**
   * The configs, or a function that returns them. The monitor does not start if the function throws, its promise rejects, or
   * the stream errors before its first value.
   */
  readonly configs?:
    Observable<ConfigChange> | (() => Observable<ConfigChange> | PromiseLike<Observable<ConfigChange>>);
  /** The client that receives the overloaded workers. Also the source of `events`, and of `decodeInstances` if absent. */
  readonly client?: InstanceClient;
}

/** The prefill workers of a disaggregated fleet: their instances, or the client that routes to them. */
export type PrefillClient = InstanceClient | Observable<InstanceChange>;

/** The sources of one run for `loadMonitor`. */
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

/** An event of the prefill client: a worker that is available again is a prefill worker. */
function toPrefillEvent(event: FleetEvent): FleetEvent {
  return event.kind === 'instance' ? { ...event, role: 'prefill' } : event;
}
