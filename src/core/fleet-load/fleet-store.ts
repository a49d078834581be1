import type { Drop } from '../cleanup-drops.js';
import type { FleetSource, FleetStart } from '../fleet-event.js';
import type { LoadPolicy } from '../load-policy.js';
import { LoadThresholdConfig } from '../load-threshold-config.js';
import type { Problem } from '../problem.js';
import type { RankMemory } from '../rank-memory.js';
import type { WorkerId } from '../worker-id.js';
import type { WorkerTable } from '../worker-table.js';
import type { TableSlots } from './apply-batch.js';
import { BusyLog } from './busy-log.js';
import type { CapacityLayer } from './capacities.js';
import { LimitClasses } from './limit-classes.js';
import { NONE, RankCells } from './rank-cells.js';
import { DECODE, PREFILL, WorkerSlots } from './worker-slots.js';

/** The prefill watch that is open, and the one that waits for it to close. Watches are numbered from 0. */
export interface PrefillWatches {
  attached: number;
  open: number | null;
  waiting: { readonly watch: number; readonly workerIds: readonly WorkerId[] } | null;
}

/** A worker that may have crossed in the present event, with its status before. */
export interface Touched {
  readonly slot: number;
  readonly before: number;
}

/**
 * Everything a fleet's load state holds, in flat typed arrays over small integers. It is changed in place and
 * never handed out; the functions beside it are its only readers and writers.
 */
export class FleetStore {
  readonly slots = new WorkerSlots();
  readonly cells = new RankCells();
  readonly classes: LimitClasses;
  readonly busy = new BusyLog(this.slots);
  readonly source: FleetSource;
  readonly judgesLoads: boolean;
  thresholds: LoadThresholdConfig;
  phase: 'running' | 'ended' | 'stopped' = 'running';
  loadsOpen: boolean;
  /** Whether a source of cards, of decode instances, of prefill instances has spoken. */
  cardsSeen: boolean;
  decodeSeen: boolean;
  prefillSeen: boolean;
  readonly watches: PrefillWatches;
  /** What is remembered of ranks beyond a worker's present card and cells. */
  readonly memory = new Map<number, RankMemory>();
  /** The capacities of workers whose newest card does not hide all older ones. */
  readonly layers = new Map<number, CapacityLayer[]>();
  /** Workers that have a state without a card that counts, or a card that counts without a state that knows it. */
  readonly unsettled = new Set<number>();
  readonly held = new Set<number>();
  readonly marked = new Set<number>();
  states = 0;
  instances = 0;
  down = 0;
  /** When what is applied now was received, as {@link receiptOf} says. */
  receipt = NONE;
  /** Who must be judged at the next event that judges; everybody, when the marks changed. */
  toJudge: number[] = [];
  judgeEverybody = false;
  /** Who may have crossed in the present event, and what else the event made. */
  touched: Touched[] = [];
  /** Who may have nothing left; slots are given back at the end of the event only. */
  maybeEmpty: number[] = [];
  /** The slots that worker tables mean; the table used last at hand. */
  readonly tables = new WeakMap<WorkerTable, TableSlots>();
  lastTable: TableSlots | undefined;
  drops: Drop[] = [];
  problems: Problem[] = [];

  constructor(
    readonly policy: LoadPolicy,
    start: FleetStart,
  ) {
    this.judgesLoads = policy.judgedOn.includes('load');
    this.source = start.source ?? 'aggregated';
    this.thresholds = LoadThresholdConfig.defaults(policy).update(start.thresholds ?? {});
    this.classes = new LimitClasses(policy, this.thresholds);
    this.loadsOpen = start.loads !== false;
    this.cardsSeen = start.cards === true;
    this.decodeSeen = start.decodeInstances !== undefined;
    const attached = start.prefillInstances !== undefined;
    this.prefillSeen = attached && policy.prefillWatches !== 'none';
    this.watches = { attached: attached ? 1 : 0, open: this.prefillSeen ? 0 : null, waiting: null };
    for (const id of start.decodeInstances ?? []) this.enter(id, DECODE);
    if (this.prefillSeen) for (const id of start.prefillInstances ?? []) this.enter(id, PREFILL);
  }

  /** Notes a worker as instance of a role, without any consequence. */
  enter(id: WorkerId, role: number): number {
    const slot = this.slots.intern(id);
    if (!this.slots.has(slot, DECODE | PREFILL)) this.instances += 1;
    this.slots.set(slot, role);
    return slot;
  }
}
