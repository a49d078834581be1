import type { Count } from '../count.js';
import type { Role } from '../events/fleet-event.js';
import type { RankState } from '../judgement/rank-state.js';
import type { UnknownReason, WorkerState } from '../judgement/worker-state.js';
import { type InspectArguments, inspectCustom, jsonReady, printAs } from '../ordinary-value.js';
import type { LoadPolicy } from '../policy/load-policy.js';
import type { LoadThresholdConfig } from '../policy/load-threshold-config.js';
import { type WorkerId, compareWorkerIds } from '../worker-id.js';
import { roleOfPool } from './cleanup.js';
import type { FleetStore } from './fleet-store.js';
import { isKnown } from './known-workers.js';
import type { LimitClasses } from './limit-classes.js';
import type { CellsCopy, WorkerSlots } from './storage/workers.js';
import { unknownWorkers } from './verdicts.js';

/** The values of one rank. `null`: the rank has no such value, or the config has no capacity. */
export interface RankValues {
  readonly rank: number;
  /** Whether it is a judged rank that is busy under the thresholds in force. */
  readonly busy: boolean;
  readonly activeDecodeBlocks: Count | null;
  readonly activePrefillTokens: Count | null;
  readonly kvUsedBlocks: Count | null;
  readonly totalKvBlocks: Count | null;
}

/** A present worker and the ranks of it that have values, ascending. */
export interface WorkerRanks {
  readonly workerId: WorkerId;
  readonly workerType: Role;
  readonly busy: boolean;
  readonly state: WorkerState;
  /** When its state began, in milliseconds of the clock that drives the monitor; `null` when it has always had it. */
  readonly since: number | null;
  readonly overloadMarked: boolean;
  /** When it became busy, in milliseconds of the clock that drives the monitor; `null` when it is not busy. */
  readonly busySince: number | null;
  readonly ranks: readonly RankValues[];
}

/**
 * An immutable copy of the present workers and the values of their ranks at one moment.
 *
 * 1. A worker is present when it is judged and discovery knows it: by an instance if there is a source of instances, else
 *    by a config if there is a source of configs. A worker that left is not present, even if the policy remembers it.
 * 2. `workers` has everything as plain data, in ascending order of ids. It is made when it is first read. With
 *    `thresholds`, it is what JSON, `console.log` and deep-equal comparisons see.
 * 3. The methods read the copy without making objects. There workers have numbers from 0 to `end` − 1, in no particular
 *    order. Not every number has a worker: see {@link isPresent}. The ranks of a worker that have values are numbered from 0
 *    to `rankCount` − 1, ascending. Other numbers are invalid.
 * 4. Making it copies 64 bytes for each worker and 28 for each rank. Reading it by the methods allocates only what `state`
 *    returns.
 */
export interface FleetRanks {
  readonly end: number;
  readonly policy: LoadPolicy;
  readonly thresholds: LoadThresholdConfig;
  readonly workers: readonly WorkerRanks[];
  /** The workers in the fleet that are unknown, by reason: how many, and one of them. It includes those without values. */
  readonly unknown: ReadonlyMap<UnknownReason, { readonly count: number; readonly workerId: WorkerId }>;
  isPresent(worker: number): boolean;
  workerId(worker: number): WorkerId;
  workerType(worker: number): Role;
  isBusy(worker: number): boolean;
  workerState(worker: number): WorkerState;
  /** The thresholds in force for it: `thresholds`, unless it has thresholds of its own. */
  workerThresholds(worker: number): LoadThresholdConfig;
  /** When its state began, in milliseconds of the clock that drives the monitor; `null` when it has always had it. */
  since(worker: number): number | null;
  /** Whether it has an overload mark. */
  isOverloadMarked(worker: number): boolean;
  /** When it became busy, in milliseconds of the clock that drives the monitor; `null` when it is not busy. */
  busySince(worker: number): number | null;
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

/** A copy of the workers and of the cells of their ranks. `thresholds` and `workers` are its only enumerable properties. */
export class RankCopy implements FleetRanks {
  static readonly #workersProperty: PropertyDescriptor & ThisType<RankCopy> = {
    enumerable: true,
    get() {
      return (this.#workers ??= this.#makeWorkers());
    },
  };
  readonly thresholds: LoadThresholdConfig;
  declare readonly workers: readonly WorkerRanks[];
  #workers: readonly WorkerRanks[] | undefined;
  readonly #policy: LoadPolicy;
  readonly #slots: WorkerSlots;
  readonly #cells: CellsCopy;
  readonly #classes: LimitClasses;
  readonly #own: Role;
  readonly #ownThresholds: ReadonlyMap<WorkerId, LoadThresholdConfig>;
  readonly #unknown: FleetRanks['unknown'];

  constructor(store: FleetStore) {
    this.#policy = store.policy;
    this.thresholds = store.thresholds;
    this.#classes = store.classes;
    this.#own = roleOfPool(store.poolRole);
    this.#ownThresholds = store.ownThresholds.copy();
    this.#slots = store.workers.copy();
    this.#cells = store.workers.ranks.copyAll();
    this.#unknown = unknownWorkers(store);
    Object.defineProperty(this, 'workers', RankCopy.#workersProperty);
  }

  get end(): number {
    return this.#slots.end;
  }

  get policy(): LoadPolicy {
    return this.#policy;
  }

  get unknown(): FleetRanks['unknown'] {
    return this.#unknown;
  }

  isPresent(worker: number): boolean {
    const workers = this.#slots;
    if (!workers.hasState(worker) || !isKnown(workers, this.#policy, worker)) return false;
    if (workers.hasSeen('decode') || workers.hasSeen('prefill')) return workers.hasInstance(worker);
    return !workers.hasSeen('configs') || workers.isCounted(worker);
  }

  workerId(worker: number): WorkerId {
    return this.#slots.id(worker);
  }

  workerType(worker: number): Role {
    const workers = this.#slots;
    return workers.hasRole(worker, 'prefill') && !workers.hasRole(worker, 'decode') ? 'prefill' : this.#own;
  }

  isBusy(worker: number): boolean {
    return this.#slots.isBusy(worker);
  }

  workerState(worker: number): WorkerState {
    return this.#slots.state(worker);
  }

  workerThresholds(worker: number): LoadThresholdConfig {
    if (this.#ownThresholds.size === 0) return this.thresholds;
    return this.#ownThresholds.get(this.workerId(worker)) ?? this.thresholds;
  }

  since(worker: number): number | null {
    return this.#slots.since(worker);
  }

  isOverloadMarked(worker: number): boolean {
    return this.#slots.isOverloadMarked(worker);
  }

  busySince(worker: number): number | null {
    return this.isBusy(worker) ? this.#slots.since(worker) : null;
  }

  rankCount(worker: number): number {
    return this.#slots.rankCount(worker);
  }

  rank(worker: number, index: number): number {
    return this.#cells.rank(this.#cellOf(worker, index));
  }

  isRankBusy(worker: number, index: number): boolean {
    return this.#cells.isBusy(this.#cellOf(worker, index));
  }

  activeDecodeBlocks(worker: number, index: number): Count | null {
    return this.#cells.activeDecodeBlocks(this.#cellOf(worker, index));
  }

  activePrefillTokens(worker: number, index: number): Count | null {
    return this.#cells.activePrefillTokens(this.#cellOf(worker, index));
  }

  kvUsedBlocks(worker: number, index: number): Count | null {
    return this.#cells.kvUsedBlocks(this.#cellOf(worker, index));
  }

  totalKvBlocks(worker: number, index: number): Count | null {
    return this.#classes.totals[this.#cells.limits(this.#cellOf(worker, index))] ?? null;
  }

  age(worker: number, index: number, now: number): number | null {
    return this.#cells.age(this.#cellOf(worker, index), now);
  }

  state(worker: number, index: number): RankState {
    return this.#cells.state(this.#cellOf(worker, index), this.#classes);
  }

  [inspectCustom](...args: InspectArguments): string {
    return printAs('FleetRanks', { ...this }, args);
  }

  #makeWorkers(): WorkerRanks[] {
    const workers: WorkerRanks[] = [];
    for (let worker = 0; worker < this.end; worker += 1) {
      if (!this.isPresent(worker)) continue;
      workers.push({
        workerId: this.workerId(worker),
        workerType: this.workerType(worker),
        busy: this.isBusy(worker),
        state: this.workerState(worker),
        since: this.since(worker),
        overloadMarked: this.isOverloadMarked(worker),
        busySince: this.busySince(worker),
        ranks: Array.from({ length: this.rankCount(worker) }, (_, index) => this.#valuesOf(worker, index)),
      });
    }
    return workers.sort((a, b) => compareWorkerIds(a.workerId, b.workerId));
  }

  #valuesOf(worker: number, index: number): RankValues {
    return jsonReady({
      rank: this.rank(worker, index),
      busy: this.isRankBusy(worker, index),
      activeDecodeBlocks: this.activeDecodeBlocks(worker, index),
      activePrefillTokens: this.activePrefillTokens(worker, index),
      kvUsedBlocks: this.kvUsedBlocks(worker, index),
      totalKvBlocks: this.totalKvBlocks(worker, index),
    });
  }

  #cellOf(worker: number, index: number): number {
    return this.#slots.firstCell(worker) + index;
  }
}
