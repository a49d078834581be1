import type { Count } from '../count.js';
import type { FleetStart, InstancesListed, PoolRole } from '../events/fleet-event.js';
import type { WorkerTable } from '../events/load-batch.js';
import { type RankRange, inRange } from '../judgement/rank-state.js';
import type { LoadPolicy } from '../policy/load-policy.js';
import { LoadThresholdConfig } from '../policy/load-threshold-config.js';
import type { Problem } from '../sources/problem.js';
import type { WorkerId } from '../worker-id.js';
import { BusyLog } from './busy-set.js';
import type { PendingCleanup } from './cleanup.js';
import { LimitClasses, NO_CAPACITY } from './limit-classes.js';
import { NONE, RankCells } from './rank-cells.js';
import type { RankMemory } from './rank-memory.js';
import {
  CONFIG_LIMITS,
  DECODE,
  HAS_RANGE,
  PREFILL,
  RANGE_END,
  RANGE_START,
  type TableSlots,
  WorkerSlots,
} from './worker-slots.js';

/** The capacities that a config gives to a range of ranks, as a limit class. */
export interface CapacityLayer extends RankRange {
  readonly limits: number;
}

/** The range that a worker's newest config declares; valid only if {@link HAS_RANGE} is set. */
export function rangeOf({ slots }: FleetStore, slot: number): RankRange {
  const at = slots.at(slot);
  return { start: (slots.words[at + RANGE_START] ?? 0) >>> 0, end: (slots.words[at + RANGE_END] ?? 0) >>> 0 };
}

/** Whether a worker's newest config declares a rank; valid only if {@link HAS_RANGE} is set. Allocates nothing. */
export function declares({ slots }: FleetStore, slot: number, rank: number): boolean {
  const at = slots.at(slot);
  return (
    rank >= (slots.words[at + RANGE_START] ?? 0) >>> 0 && rank < (slots.words[at + RANGE_END] ?? 0) >>> 0
  );
}

/** The limit class of one rank, from the newest config that declares it. */
export function limitsOf(store: FleetStore, slot: number, rank: number): number {
  const layers = store.layers.get(slot);
  if (layers === undefined) {
    const { slots } = store;
    if (!slots.has(slot, HAS_RANGE) || !declares(store, slot, rank)) return NO_CAPACITY;
    return slots.words[slots.at(slot) + CONFIG_LIMITS] ?? NO_CAPACITY;
  }
  const newest = (values: readonly (Count | undefined)[]): Count | undefined => {
    const layer = layers.findLast(
      (candidate) => inRange(rank, candidate) && values[candidate.limits] !== undefined,
    );
    return layer && values[layer.limits];
  };
  return store.classes.intern(newest(store.classes.totals), newest(store.classes.batches));
}

/** Stores the range and the capacities of a config. The capacities cover the older ones, or replace them. */
export function takeCapacities(store: FleetStore, slot: number, range: RankRange, limits: number): void {
  const { slots, policy } = store;
  const at = slots.at(slot);
  if (policy.capacity === 'merged' && slots.has(slot, HAS_RANGE)) {
    const present = { ...rangeOf(store, slot), limits: slots.words[at + CONFIG_LIMITS] ?? NO_CAPACITY };
    const older = (store.layers.get(slot) ?? [present]).filter(
      (layer) => !hides(store, { ...range, limits }, layer),
    );
    if (older.length > 0) store.layers.set(slot, [...older, { ...range, limits }]);
    else store.layers.delete(slot);
  }
  slots.words[at + RANGE_START] = range.start;
  slots.words[at + RANGE_END] = range.end;
  slots.words[at + CONFIG_LIMITS] = limits;
  slots.set(slot, HAS_RANGE);
}

/** Whether a newer layer covers an older one completely. */
function hides(
  { classes: { totals, batches } }: FleetStore,
  newer: CapacityLayer,
  older: CapacityLayer,
): boolean {
  return (
    newer.start <= older.start &&
    newer.end >= older.end &&
    (totals[newer.limits] !== undefined || totals[older.limits] === undefined) &&
    (batches[newer.limits] !== undefined || batches[older.limits] === undefined)
  );
}

/** The open prefill watch, and the one that waits for it to close. Watches are numbered from 0. */
export interface PrefillWatches {
  attached: number;
  open: number | null;
  waiting: { readonly watch: number; readonly listed: InstancesListed } | null;
}

/** A worker that may have a transition in the current event, with its status before the event. */
export interface Touched {
  readonly slot: number;
  readonly before: number;
}

/**
 * The data of a load state, in flat typed arrays indexed by small integers. It is changed in place and never leaves this
 * folder.
 */
export class FleetStore {
  readonly slots = new WorkerSlots();
  readonly cells = new RankCells();
  readonly classes: LimitClasses;
  readonly busy = new BusyLog(this.slots);
  readonly poolRole: PoolRole;
  readonly judgesLoads: boolean;
  thresholds: LoadThresholdConfig;
  phase: 'running' | 'ended' | 'stopped' = 'running';
  loadsOpen: boolean;
  /** Whether a source of configs, decode instances or prefill instances has emitted. */
  configsSeen: boolean;
  decodeSeen: boolean;
  prefillSeen: boolean;
  readonly watches: PrefillWatches;
  /** Remembered ranks that are not in the worker's current config or cells. */
  readonly memory = new Map<number, RankMemory>();
  /** The capacities of workers whose newest config does not cover all older ones. */
  readonly layers = new Map<number, CapacityLayer[]>();
  /** Workers that have a state but no config that counts, or a config that counts but is not in their state. */
  readonly unsettled = new Set<number>();
  readonly held = new Set<number>();
  readonly overloadMarked = new Set<number>();
  states = 0;
  instances = 0;
  down = 0;
  /** When the current event was received, as a word of {@link receiptOf}. */
  receipt = NONE;
  /** The workers to judge at the next event that judges; `judgeAll` when the thresholds changed. */
  toJudge: number[] = [];
  judgeAll = false;
  /** The workers that may have a transition in the current event. */
  touched: Touched[] = [];
  /** Slots that may have become empty. They are released at the end of the event. */
  maybeEmpty: number[] = [];
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
    this.poolRole = start.source ?? 'aggregated';
    this.thresholds = LoadThresholdConfig.defaults(policy).update(start.thresholds ?? {});
    this.classes = new LimitClasses(policy, this.thresholds);
    this.loadsOpen = start.loads !== false;
    this.configsSeen = start.cards === true;
    this.decodeSeen = start.decodeInstances !== undefined;
    const attached = start.prefillInstances !== undefined;
    this.prefillSeen = attached && policy.prefillWatches !== 'none';
    this.watches = { attached: attached ? 1 : 0, open: this.prefillSeen ? 0 : null, waiting: null };
    for (const id of start.decodeInstances ?? []) this.enter(id, DECODE);
    if (this.prefillSeen) for (const id of start.prefillInstances ?? []) this.enter(id, PREFILL);
  }

  /** Notes an instance of a role, without any other effect. */
  enter(id: WorkerId, role: number): number {
    const slot = this.slots.intern(id);
    if (!this.slots.has(slot, DECODE | PREFILL)) this.instances += 1;
    this.slots.set(slot, role);
    return slot;
  }
}
