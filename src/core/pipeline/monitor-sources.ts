import { type Observable, type SchedulerLike, isObservable } from 'rxjs';
import { TidemarkError } from '../errors.js';
import type { ActiveLoad, FleetEvent, PoolRole, RuntimeConfig } from '../events/fleet-event.js';
import type { LoadBatch } from '../events/load-batch.js';
import {
  type OptionRule,
  aScheduler,
  anObject,
  isRecord,
  oneOf,
  optionProblems,
  validatedElsewhere,
} from '../option-problems.js';
import type { LoadPolicy } from '../policy/load-policy.js';
import type { LoadThresholdUpdate } from '../policy/load-thresholds.js';
import type { SourceStatus } from '../sources/source-status.js';
import type { WorkerId } from '../worker-id.js';

/** What is used of an `AbortSignal`, whose own type is declared by the DOM and by Node only. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** How a monitor judges and runs. */
export interface MonitorOptions {
  /** The rules of judgement; `policies.default` when absent. */
  readonly policy?: LoadPolicy;
  /** The thresholds in force at the start; those of the policy when absent. */
  readonly thresholds?: LoadThresholdUpdate;
  /** The role of the pool; `aggregated` when absent. */
  readonly role?: PoolRole;
  /** Aborting it ends the run. */
  readonly signal?: AbortSignalLike;
  /** The clock of the monitor; `asyncScheduler` when absent. */
  readonly scheduler?: SchedulerLike;
}

/** A snapshot of all configs, or one config that was added, replaced or removed (`null`). */
export type ConfigChange =
  | ReadonlyMap<WorkerId, RuntimeConfig>
  | { readonly workerId: WorkerId; readonly config: RuntimeConfig | null };

/** A snapshot of all instances, or one instance that joined or left. */
export type InstanceChange =
  ReadonlySet<WorkerId> | readonly WorkerId[] | { readonly workerId: WorkerId; readonly present: boolean };

/** The inputs of a monitor. Every source is optional, and may emit its first value at any time. */
export interface MonitorSources {
  /** The configs of the workers: what their model cards say about their size. */
  readonly configs?: Observable<ConfigChange>;
  /** Loads, one by one or as columns that are valid only during the call. */
  readonly loads?: Observable<ActiveLoad | LoadBatch>;
  /** The instances at the endpoint of the pool. */
  readonly decodeInstances?: Observable<InstanceChange>;
  /**
   * Watches on prefill instances. Each inner stream is one watch; the policy says what a second one does while another is
   * open.
   */
  readonly prefillInstances?: Observable<Observable<InstanceChange>>;
  /** Changes of thresholds. The policy validates them, and a refused one is a problem. */
  readonly thresholds?: Observable<LoadThresholdUpdate>;
  /** Any other event: scheduler loads, overload marks, workers that were reported down. */
  readonly events?: Observable<FleetEvent>;
  /** The status of the sources, as they report it themselves. Its `since` becomes a time of the clock of the monitor. */
  readonly status?: readonly Observable<SourceStatus>[];
}

const optionRules = {
  policy: anObject,
  thresholds: validatedElsewhere,
  role: oneOf(['aggregated', 'decode', 'prefill']),
  signal: anObject,
  scheduler: aScheduler,
} satisfies Record<keyof MonitorOptions, OptionRule>;

const aSource: OptionRule = { what: 'an Observable', is: isObservable };

const sourceRules: Readonly<Record<keyof MonitorSources, OptionRule>> = {
  configs: aSource,
  loads: aSource,
  decodeInstances: aSource,
  prefillInstances: aSource,
  thresholds: aSource,
  events: aSource,
  status: { what: 'a list of Observables', is: (value) => Array.isArray(value) && value.every(isObservable) },
};

/**
 * Refuses options and sources that cannot be intended. An object with sources may have other members.
 *
 * @throws TidemarkError with the code `monitor-options`
 */
export function requireMonitorOptions(sources: MonitorSources, options: MonitorOptions): void {
  const known = isRecord(sources)
    ? Object.fromEntries(
        Object.keys(sourceRules).map((name) => [name, sources[name as keyof MonitorSources]]),
      )
    : sources;
  const problems = [
    ...optionProblems('loadMonitor', known, sourceRules),
    ...optionProblems('loadMonitor', options, optionRules),
  ];
  if (problems.length > 0) throw new TidemarkError('monitor-options', `${problems.join('; ')}.`);
}
