import type { WorkerType } from '../cleanup.js';
import { ownType } from '../cleanup-drops.js';
import type { Count } from '../count.js';
import type { FleetRanks } from '../fleet-ranks.js';
import type { LoadPolicy } from '../load-policy.js';
import type { LoadThresholdConfig } from '../load-threshold-config.js';
import type { RankState } from '../rank-state.js';
import type { WorkerId } from '../worker-id.js';
import type { FleetStore } from './fleet-store.js';
import type { LimitClasses } from './limit-classes.js';
import { ACTIVE, LIMITS, RANK, TOKENS, USED, WORDS_PER_CELL, type CellsCopy } from './rank-cells.js';
import { copiedValue, rankStateAt } from './rank-state-at.js';
import { BASE, COUNT, COUNTED, DECODE, MARKED, PREFILL, PUBLISHED } from './worker-slots.js';
import { isKnown } from './worker-state.js';

/** The workers that are there, and the cells of their ranks, copied. */
export class RankCopy implements FleetRanks {
  readonly size: number;
  readonly policy: LoadPolicy;
  readonly thresholds: LoadThresholdConfig;
  private readonly ids: WorkerId[] = [];
  private readonly statuses: Int32Array;
  private readonly sinces: Float64Array;
  private readonly bases: Int32Array;
  private readonly counts: Int32Array;
  private readonly cells: CellsCopy;
  private readonly classes: LimitClasses;
  private readonly own: WorkerType;

  constructor(store: FleetStore) {
    const { slots, cells } = store;
    this.policy = store.policy;
    this.thresholds = store.thresholds;
    this.classes = store.classes;
    this.own = ownType(store.source);
    const words = cells.words.slice(0, cells.used * WORDS_PER_CELL);
    this.cells = { words, wide: cells.wide.size === 0 ? undefined : new Map(cells.wide) };
    this.statuses = new Int32Array(slots.size);
    this.sinces = new Float64Array(slots.size);
    this.bases = new Int32Array(slots.size);
    this.counts = new Int32Array(slots.size);
    for (const slot of slots.all()) {
      if (!isThere(store, slot)) continue;
      const at = slots.at(slot);
      const worker = this.ids.push(slots.id(slot)) - 1;
      this.statuses[worker] = slots.status(slot);
      this.sinces[worker] = slots.since(slot);
      this.bases[worker] = slots.words[at + BASE] ?? 0;
      this.counts[worker] = slots.words[at + COUNT] ?? 0;
    }
    this.size = this.ids.length;
  }

  workerId(worker: number): WorkerId {
    return this.ids[worker] as WorkerId;
  }

  workerType(worker: number): WorkerType {
    return ((this.statuses[worker] ?? 0) & (DECODE | PREFILL)) === PREFILL ? 'prefill' : this.own;
  }

  isBusy(worker: number): boolean {
    return ((this.statuses[worker] ?? 0) & PUBLISHED) !== 0;
  }

  isMarked(worker: number): boolean {
    return ((this.statuses[worker] ?? 0) & MARKED) !== 0;
  }

  busySince(worker: number): number {
    return this.sinces[worker] ?? 0;
  }

  rankCount(worker: number): number {
    return this.counts[worker] ?? 0;
  }

  rank(worker: number, index: number): number {
    return (this.cells.words[this.wordAt(worker, index) + RANK] ?? 0) >>> 0;
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
    return this.classes.totals[this.cells.words[this.wordAt(worker, index) + LIMITS] ?? 0] ?? null;
  }

  state(worker: number, index: number): RankState {
    return rankStateAt(this.cells, this.classes, this.wordAt(worker, index));
  }

  private wordAt(worker: number, index: number): number {
    return ((this.bases[worker] ?? 0) + index) * WORDS_PER_CELL;
  }
}

/** Whether a worker is judged, and named by discovery as far as there is one. */
function isThere(store: FleetStore, slot: number): boolean {
  if (!isKnown(store, slot)) return false;
  if (store.decodeSeen || store.prefillSeen) return store.slots.has(slot, DECODE | PREFILL);
  return !store.cardsSeen || store.slots.has(slot, COUNTED);
}
