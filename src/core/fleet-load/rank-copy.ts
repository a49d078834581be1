import type { WorkerType } from '../cleanup.js';
import { ownType } from '../cleanup-drops.js';
import type { Count } from '../count.js';
import type { FleetRanks } from '../fleet-ranks.js';
import { isRankBusy } from '../is-busy.js';
import type { LoadPolicy } from '../load-policy.js';
import type { LoadThresholdConfig } from '../load-threshold-config.js';
import type { RankState } from '../rank-state.js';
import type { WorkerId } from '../worker-id.js';
import type { FleetStore } from './fleet-store.js';
import type { LimitClasses } from './limit-classes.js';
import {
  ACTIVE,
  FLAGS,
  NONE,
  RANK,
  RECEIVED,
  TOKENS,
  USED,
  WORDS_PER_CELL,
  type CellsCopy,
} from './rank-cells.js';
import { limitsIn, RANK_BUSY } from './rank-flags.js';
import { copiedValue, rankStateAt } from './rank-state-at.js';
import { sinceReceipt } from './receipt.js';
import {
  BASE,
  COUNT,
  COUNTED,
  DECODE,
  HAS_STATE,
  MARKED,
  PREFILL,
  PUBLISHED,
  type WorkerSlots,
} from './worker-slots.js';
import { isKnown } from './worker-state.js';

/** What tells whether a worker is there. */
type Standing = Pick<FleetStore, 'slots' | 'policy' | 'cardsSeen' | 'decodeSeen' | 'prefillSeen'>;

/** The workers and the cells of their ranks, copied. */
export class RankCopy implements FleetRanks {
  readonly end: number;
  readonly policy: LoadPolicy;
  readonly thresholds: LoadThresholdConfig;
  private readonly standing: Standing;
  private readonly slots: WorkerSlots;
  private readonly cells: CellsCopy;
  private readonly classes: LimitClasses;
  private readonly own: WorkerType;
  /** Nobody was judged by the marks in force yet. */
  private readonly marksAreNew: boolean;

  constructor(store: FleetStore) {
    const { policy, cells, cardsSeen, decodeSeen, prefillSeen } = store;
    this.policy = policy;
    this.thresholds = store.thresholds;
    this.classes = store.classes;
    this.marksAreNew = store.judgeEverybody;
    this.own = ownType(store.source);
    this.slots = store.slots.copy();
    this.standing = { slots: this.slots, policy, cardsSeen, decodeSeen, prefillSeen };
    this.end = this.slots.ids.length;
    const words = cells.words.slice(0, cells.used * WORDS_PER_CELL);
    this.cells = { words, wide: cells.wide.size === 0 ? undefined : new Map(cells.wide) };
  }

  isThere(worker: number): boolean {
    return isThere(this.standing, worker);
  }

  workerId(worker: number): WorkerId {
    return this.slots.id(worker);
  }

  workerType(worker: number): WorkerType {
    return (this.slots.status(worker) & (DECODE | PREFILL)) === PREFILL ? 'prefill' : this.own;
  }

  isBusy(worker: number): boolean {
    return this.slots.has(worker, PUBLISHED);
  }

  isMarked(worker: number): boolean {
    return this.slots.has(worker, MARKED);
  }

  busySince(worker: number): number {
    return this.slots.since(worker);
  }

  rankCount(worker: number): number {
    return this.slots.words[this.slots.at(worker) + COUNT] ?? 0;
  }

  rank(worker: number, index: number): number {
    return (this.cells.words[this.wordAt(worker, index) + RANK] ?? 0) >>> 0;
  }

  isRankBusy(worker: number, index: number): boolean {
    if (this.marksAreNew) return isRankBusy(this.state(worker, index), this.thresholds, this.policy);
    return ((this.cells.words[this.wordAt(worker, index) + FLAGS] ?? 0) & RANK_BUSY) !== 0;
  }

  activeDecodeBlocks(worker: number, index: number): Count | null {
    return copiedValue(this.cells, this.wordAt(worker, index) + ACTIVE);
  }

  activePrefillTokens(worker: number, index: number): Count | null {
    return copiedValue(this.cells, this.wordAt(worker, index) + TOKENS);
  }

  kvUsedBlocks(worker: number, index: number): Count | null {
    return copiedValue(this.cells, this.wordAt(worker, index) + USED);
  }

  totalKvBlocks(worker: number, index: number): Count | null {
    return this.classes.totals[limitsIn(this.cells.words[this.wordAt(worker, index) + FLAGS] ?? 0)] ?? null;
  }

  age(worker: number, index: number, now: number): number | null {
    return sinceReceipt(this.cells.words[this.wordAt(worker, index) + RECEIVED] ?? NONE, now);
  }

  state(worker: number, index: number): RankState {
    return rankStateAt(this.cells, this.classes, this.wordAt(worker, index));
  }

  private wordAt(worker: number, index: number): number {
    return ((this.slots.words[this.slots.at(worker) + BASE] ?? 0) + index) * WORDS_PER_CELL;
  }
}

/** Whether a worker is judged, and named by discovery as far as there is one. */
function isThere(standing: Standing, slot: number): boolean {
  const { slots, cardsSeen, decodeSeen, prefillSeen } = standing;
  if (!slots.has(slot, HAS_STATE) || !isKnown(standing, slot)) return false;
  if (decodeSeen || prefillSeen) return slots.has(slot, DECODE | PREFILL);
  return !cardsSeen || slots.has(slot, COUNTED);
}
