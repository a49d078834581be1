import type { Count } from '../count.js';
import type { Role } from '../events/fleet-event.js';
import type { RankState } from '../judgement/rank-state.js';
import type { LoadPolicy } from '../policy/load-policy.js';
import type { LoadThresholdConfig } from '../policy/load-threshold-config.js';
import type { WorkerId } from '../worker-id.js';
import { roleOfPool } from './cleanup.js';
import type { FleetStore } from './fleet-store.js';
import { isKnown } from './known-workers.js';
import type { LimitClasses } from './limit-classes.js';
import type { CellsCopy, WorkerSlots } from './storage/workers.js';

/**
 * An immutable copy of the present workers and the values of their ranks at one moment.
 *
 * 1. A worker is present when it is judged and discovery knows it: by an instance if there is a source of instances, else
 *    by a config if there is a source of configs. A worker that left is not present, even if the policy remembers it.
 * 2. Workers have numbers from 0 to `end` − 1, in no particular order. Not every number has a worker: see
 *    {@link isPresent}. The ranks of a worker that have values are numbered from 0 to `rankCount` − 1, ascending. Other
 *    numbers are invalid.
 * 3. Making it copies 64 bytes for each worker and 28 for each rank. Reading it allocates only what `state` returns.
 */
export interface FleetRanks {
  readonly end: number;
  readonly policy: LoadPolicy;
  readonly thresholds: LoadThresholdConfig;
  isPresent(worker: number): boolean;
  workerId(worker: number): WorkerId;
  workerType(worker: number): Role;
  isBusy(worker: number): boolean;
  /** Whether it has an overload mark. */
  isOverloadMarked(worker: number): boolean;
  /** When a busy worker became busy, in milliseconds of the clock that drives the monitor. */
  busySince(worker: number): number;
  rankCount(worker: number): number;
  rank(worker: number, index: number): number;
  /** Whether a judged rank is busy under the thresholds in force. */
  isRankBusy(worker: number, index: number): boolean;
  activeDecodeBlocks(worker: number, index: number): Count | null;
  activePrefillTokens(worker: number, index: number): Count | null;
  kvUsedBlocks(worker: number, index: number): Count | null;
  totalKvBlocks(worker: number, index: number): Count | null;
  /**
   * The time since its last load in milliseconds, in steps of 16, at most a year; 0 when the load is in the future. `null`
   * when it is unknown, because the source does not say when its loads arrived.
   */
  age(worker: number, index: number, now: number): number | null;
  /** Everything that is known about a rank, in the form that the checks take. */
  state(worker: number, index: number): RankState;
}

/** A copy of the workers and of the cells of their ranks. */
export class RankCopy implements FleetRanks {
  readonly end: number;
  readonly policy: LoadPolicy;
  readonly thresholds: LoadThresholdConfig;
  private readonly workers: WorkerSlots;
  private readonly cells: CellsCopy;
  private readonly classes: LimitClasses;
  private readonly own: Role;

  constructor(store: FleetStore) {
    this.policy = store.policy;
    this.thresholds = store.thresholds;
    this.classes = store.classes;
    this.own = roleOfPool(store.poolRole);
    this.workers = store.workers.copy();
    this.cells = store.workers.ranks.copyAll();
    this.end = this.workers.end;
  }

  isPresent(worker: number): boolean {
    const { workers, policy } = this;
    if (!workers.hasState(worker) || !isKnown(workers, policy, worker)) return false;
    if (workers.hasSeen('decode') || workers.hasSeen('prefill')) return workers.hasInstance(worker);
    return !workers.hasSeen('configs') || workers.isCounted(worker);
  }

  workerId(worker: number): WorkerId {
    return this.workers.id(worker);
  }

  workerType(worker: number): Role {
    const { workers } = this;
    return workers.hasRole(worker, 'prefill') && !workers.hasRole(worker, 'decode') ? 'prefill' : this.own;
  }

  isBusy(worker: number): boolean {
    return this.workers.isBusy(worker);
  }

  isOverloadMarked(worker: number): boolean {
    return this.workers.isOverloadMarked(worker);
  }

  busySince(worker: number): number {
    return this.workers.since(worker);
  }

  rankCount(worker: number): number {
    return this.workers.rankCount(worker);
  }

  rank(worker: number, index: number): number {
    return this.cells.rank(this.cellOf(worker, index));
  }

  isRankBusy(worker: number, index: number): boolean {
    return this.cells.isBusy(this.cellOf(worker, index));
  }

  activeDecodeBlocks(worker: number, index: number): Count | null {
    return this.cells.activeDecodeBlocks(this.cellOf(worker, index));
  }

  activePrefillTokens(worker: number, index: number): Count | null {
    return this.cells.activePrefillTokens(this.cellOf(worker, index));
  }

  kvUsedBlocks(worker: number, index: number): Count | null {
    return this.cells.kvUsedBlocks(this.cellOf(worker, index));
  }

  totalKvBlocks(worker: number, index: number): Count | null {
    return this.classes.totals[this.cells.limits(this.cellOf(worker, index))] ?? null;
  }

  age(worker: number, index: number, now: number): number | null {
    return this.cells.age(this.cellOf(worker, index), now);
  }

  state(worker: number, index: number): RankState {
    return this.cells.state(this.cellOf(worker, index), this.classes);
  }

  private cellOf(worker: number, index: number): number {
    return this.workers.firstCell(worker) + index;
  }
}
