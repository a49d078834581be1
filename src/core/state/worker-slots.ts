import type { WorkerTable } from '../events/load-batch.js';
import type { WorkerId } from '../worker-id.js';
import { growWords } from './rank-cells.js';

/** The words of a worker's slot. A slot is one cache line, so that a load touches one line here and one of its rank. */
export const BASE = 1;
export const COUNT = 2;
export const ROOM = 3;
export const BUSY_RANKS = 4;
export const COUNTED_RANKS = 5;
export const RANGE_START = 6;
export const RANGE_END = 7;
export const CONFIG_LIMITS = 8;
export const REPORTED_START = 9;
export const REPORTED_END = 10;
export const REPORTED_LIMITS = 11;
/** How often the slot was released. A reference to a slot stores this too, so that it can tell a reused slot. */
const TENANCY = 12;
/** The worker's position in the list of busy workers, from 1; 0 when it is not busy. */
export const BUSY_POSITION = 13;
const STRIDE = 16;
/** The last two words as one double: when the worker became busy, if it is busy. */
const SINCE = 7;

/** Bits of the first word, its status. */
export const HAS_STATE = 1;
/** Discovery reports a config; the range of the config is possible; the config counts. */
export const REPORTED = 2;
export const POSSIBLE = 4;
export const COUNTED = 8;
export const DECODE = 16;
export const PREFILL = 32;
export const DOWN = 64;
export const JUDGED_BUSY = 128;
export const OVERLOAD_MARKED = 256;
export const PUBLISHED = 512;
/** The worker waits to be judged. */
export const TO_JUDGE = 1024;
/** A config was applied to the worker's state, so the worker has a declared range. */
export const HAS_RANGE = 2048;
/** The worker may have a transition in the current event. */
export const TOUCHED = 4096;
/** The bits that keep a slot. Without any of them, and without remembered ranks, the slot is released. */
export const KEEPS =
  HAS_STATE | REPORTED | COUNTED | DECODE | PREFILL | JUDGED_BUSY | OVERLOAD_MARKED | PUBLISHED | TO_JUDGE;

/** Workers as small integers, each with sixteen words (64 bytes) in one flat array. */
export class WorkerSlots {
  words: Int32Array = new Int32Array(16 * STRIDE);
  private doubles = doublesOf(this.words);
  ids: WorkerId[] = [];
  private readonly byId = new Map<WorkerId, number>();
  private readonly free: number[] = [];

  /** The slot of a worker, or -1. */
  find(id: WorkerId): number {
    return this.byId.get(id) ?? -1;
  }

  /** The slot of a worker; a new one if it has none. */
  intern(id: WorkerId): number {
    const known = this.byId.get(id);
    if (known !== undefined) return known;
    const slot = this.free.pop() ?? this.append();
    this.ids[slot] = id;
    this.byId.set(id, slot);
    this.words.fill(0, slot * STRIDE, slot * STRIDE + TENANCY);
    return slot;
  }

  /** Releases a slot. */
  release(slot: number): void {
    this.byId.delete(this.id(slot));
    this.words[slot * STRIDE + TENANCY] = (this.words[slot * STRIDE + TENANCY] ?? 0) + 1;
    this.free.push(slot);
  }

  /** The worker in a slot. */
  id(slot: number): WorkerId {
    return this.ids[slot] as WorkerId;
  }

  /** The index of a slot's first word. */
  at(slot: number): number {
    return slot * STRIDE;
  }

  status(slot: number): number {
    return this.words[slot * STRIDE] ?? 0;
  }

  has(slot: number, bits: number): boolean {
    return ((this.words[slot * STRIDE] ?? 0) & bits) !== 0;
  }

  set(slot: number, bits: number, on = true): void {
    const word = slot * STRIDE;
    this.words[word] = on ? (this.words[word] ?? 0) | bits : (this.words[word] ?? 0) & ~bits;
  }

  /** When the worker became busy, in milliseconds; valid only while it is busy. */
  since(slot: number): number {
    return this.doubles[(slot * STRIDE) / 2 + SINCE] ?? 0;
  }

  setSince(slot: number, at: number): void {
    this.doubles[(slot * STRIDE) / 2 + SINCE] = at;
  }

  /** Every slot in use, in the order in which they were allocated. */
  all(): IterableIterator<number> {
    return this.byId.values();
  }

  get size(): number {
    return this.byId.size;
  }

  /** A copy of the slots that can be read by number, but not by id. */
  copy(): WorkerSlots {
    const copy = new WorkerSlots();
    copy.ids = this.ids.slice();
    copy.words = this.words.slice(0, this.ids.length * STRIDE);
    copy.doubles = doublesOf(copy.words);
    return copy;
  }

  private append(): number {
    const slot = this.ids.length;
    const end = (slot + 1) * STRIDE;
    if (end > this.words.length) {
      this.words = growWords(this.words, end);
      this.doubles = doublesOf(this.words);
    }
    return slot;
  }
}

/**
 * The slots of the workers of one worker table, by the indices of the table. Each pair of words holds the slot plus
 * one, and the tenancy under which the slot was that worker's; 0 for an index that was not used yet.
 */
export class TableSlots {
  private version: number;
  private pairs: Int32Array = new Int32Array(128);

  constructor(readonly table: WorkerTable) {
    this.version = table.version;
  }

  slotOf(slots: WorkerSlots, index: number): number {
    if (this.version !== this.table.version) {
      this.version = this.table.version;
      this.pairs.fill(0);
    }
    const at = index * 2;
    const known = (this.pairs[at] ?? 0) - 1;
    if (known >= 0 && slots.words[slots.at(known) + TENANCY] === this.pairs[at + 1]) return known;
    const slot = slots.intern(this.table.id(index));
    this.table.share(index, slots.id(slot));
    if (at >= this.pairs.length) this.pairs = growWords(this.pairs, at + 2);
    this.pairs[at] = slot + 1;
    this.pairs[at + 1] = slots.words[slots.at(slot) + TENANCY] ?? 0;
    return slot;
  }
}

function doublesOf(words: Int32Array): Float64Array {
  return new Float64Array(words.buffer, 0, words.length >> 1);
}
