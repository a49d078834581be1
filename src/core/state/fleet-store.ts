import type { FleetStart, InstancesListed, PoolRole } from '../events/fleet-event.js';
import type { WorkerTable } from '../events/load-batch.js';
import type { LoadPolicy } from '../policy/load-policy.js';
import { LoadThresholdConfig } from '../policy/load-threshold-config.js';
import type { Problem } from '../sources/problem.js';
import type { WorkerId } from '../worker-id.js';
import type { PendingCleanup } from './cleanup.js';
import { HeardSignals } from './heard-signals.js';
import { LimitClasses } from './limit-classes.js';
import { OwnThresholds } from './own-thresholds.js';
import type { TableSlots } from './storage/table-slots.js';
import { Workers } from './storage/workers.js';

/** The open prefill watch, and the one that waits for it to close. Watches are numbered from 0. */
export interface PrefillWatches {
  attached: number;
  open: number | null;
  waiting: { readonly watch: number; readonly listed: InstancesListed } | null;
}

/** The data of a load state. It is changed in place and never leaves this folder. */
export class FleetStore {
  readonly workers: Workers;
  readonly classes: LimitClasses;
  readonly ownThresholds: OwnThresholds;
  readonly signals = new HeardSignals();
  readonly poolRole: PoolRole;
  readonly judgesLoads: boolean;
  thresholds: LoadThresholdConfig;
  phase: 'running' | 'ended' | 'stopped' = 'running';
  loadsOpen: boolean;
  readonly watches: PrefillWatches;
  /** The slots of the workers of each worker table, and those of the table that was used last. */
  readonly tables = new WeakMap<WorkerTable, TableSlots>();
  lastTable: TableSlots | undefined;
  pendingCleanups: PendingCleanup[] = [];
  problems: Problem[] = [];

  constructor(
    readonly policy: LoadPolicy,
    start: FleetStart,
  ) {
    this.judgesLoads = policy.judgedOn.includes('load');
    this.poolRole = start.role ?? 'aggregated';
    this.thresholds = LoadThresholdConfig.defaults(policy).update(start.thresholds ?? {});
    this.classes = new LimitClasses(policy, this.thresholds);
    this.ownThresholds = new OwnThresholds(this.classes);
    this.loadsOpen = start.loads !== false;
    const attached = start.prefillInstances !== undefined;
    const watched = attached && policy.prefillWatches !== 'none';
    this.watches = { attached: attached ? 1 : 0, open: watched ? 0 : null, waiting: null };
    this.workers = new Workers(policy);
    if (start.configs === true) this.workers.see('configs');
    if (start.decodeInstances !== undefined) this.workers.see('decode');
    if (watched) this.workers.see('prefill');
    for (const id of start.decodeInstances ?? []) this.workers.join(this.workers.intern(id), 'decode');
    if (!watched) return;
    for (const id of start.prefillInstances ?? []) this.workers.join(this.workers.intern(id), 'prefill');
  }

  /** The thresholds in force for a worker. */
  thresholdsOf(id: WorkerId): LoadThresholdConfig {
    return this.ownThresholds.of(id) ?? this.thresholds;
  }
}
