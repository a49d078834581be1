import type { Role } from '../../events/fleet-event.js';
import type { RankRange } from '../../judgement/rank-state.js';
import type { WorkerState } from '../../judgement/worker-state.js';
import type { WorkerId } from '../../worker-id.js';
import { growWords } from './grow-words.js';
import type { CellBlock } from './rank-cells.js';

/** The words of a worker's slot. A slot is one cache line, so that a load touches one line here and one of its rank. */
const STATUS = 0;
const BASE = 1;
const COUNT = 2;
const FREE_RANKS = 3;
const BUSY_RANKS = 4;
const COUNTED_RANKS = 5;
const RANGE_START = 6;
const RANGE_END = 7;
const CONFIG_LIMITS = 8;
const REPORTED_START = 9;
const REPORTED_END = 10;
const REPORTED_LIMITS = 11;
/** How often the slot was released. A reference to a slot stores this too, so that it can tell a reused slot. */
const TENANCY = 12;
/** The worker's position in the list of busy workers, from 1; 0 when it is not busy. */
const BUSY_POSITION = 13;
const STRIDE = 16;
/** The last two words as one double: when the published state began; NaN if the worker has had no transition. */
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
/** The judged and the published state are free; neither is used under policies for which free needs no evidence. */
export const JUDGED_FREE = 8192;
export const PUBLISHED_FREE = 16_384;
/** The bits that keep a slot. Without any of them, and without remembered ranks, the slot is released. */
const KEEPS =
  HAS_STATE |
  REPORTED |
  COUNTED |
  DECODE |
  PREFILL |
  JUDGED_BUSY |
  JUDGED_FREE |
  OVERLOAD_MARKED |
  PUBLISHED |
  PUBLISHED_FREE |
  TO_JUDGE;
/** Two bits of the status: as what the worker is counted, if it is present. See {@link tallyNames}. */
const TALLY_SHIFT = 15;
const TALLY = 3 << TALLY_SHIFT;
/** Five bits of the status: the binary logarithm of the room of the worker's cells, plus one; 0 without room. */
const ROOM_SHIFT = 24;
const ROOM = 31 << ROOM_SHIFT;

/** As what a worker is counted. */
export const tallyNames = ['absent', 'free', 'unknown', 'busy'] as const;
export type TallyName = (typeof tallyNames)[number];

/** What may report workers. */
export type WorkerSource = 'configs' | Role;

/**
 * What is stored about each worker, by its slot. Slots are small integers, each with sixteen words (64 bytes) in one flat
 * array. Everybody can read them; only the class that extends this one changes them.
 */
export class WorkerSlots {
  private readonly sources = new Set<WorkerSource>();
  private words: Int32Array = new Int32Array(16 * STRIDE);
  private doubles = doublesOf(this.words);
  private ids: WorkerId[] = [];
  private readonly byId = new Map<WorkerId, number>();
  private readonly free: number[] = [];

  /** @param withoutEvidence the state of a worker without evidence */
  constructor(protected readonly withoutEvidence: 'free' | 'unknown') {}

  /** Whether a source of configs, of decode instances or of prefill instances has emitted. */
  hasSeen(source: WorkerSource): boolean {
    return this.sources.has(source);
  }

  /** The slot of a worker, or -1. */
  find(id: WorkerId): number {
    return this.byId.get(id) ?? -1;
  }

  /** The slot of a worker; a new one if it has none. */
  intern(id: WorkerId): number {
    return this.byId.get(id) ?? this.add(id);
  }

  /** Every slot in use, in the order in which they were allocated. */
  all(): IterableIterator<number> {
    return this.byId.values();
  }

  /** The number of slots that were ever in use. */
  get end(): number {
    return this.ids.length;
  }

  /** The worker in a slot. */
  id(slot: number): WorkerId {
    return this.ids[slot] as WorkerId;
  }

  /** How often a slot was released. */
  tenancy(slot: number): number {
    return this.word(slot, TENANCY);
  }

  /** Whether nothing is known about the worker in a slot, apart from ranks that are remembered. */
  isEmpty(slot: number): boolean {
    return !this.has(slot, KEEPS);
  }

  /** Whether the worker has a state: values of its ranks, or capacities. */
  hasState(slot: number): boolean {
    return this.has(slot, HAS_STATE);
  }

  /** Whether discovery reports a config. */
  hasConfig(slot: number): boolean {
    return this.has(slot, REPORTED);
  }

  /** Whether discovery reports a config whose range is possible. */
  hasPossibleConfig(slot: number): boolean {
    return this.has(slot, POSSIBLE);
  }

  /** The ranks that the reported config declares; start and size of an impossible range. */
  reportedRange(slot: number): RankRange {
    return { start: this.word(slot, REPORTED_START) >>> 0, end: this.word(slot, REPORTED_END) >>> 0 };
  }

  reportedLimits(slot: number): number {
    return this.word(slot, REPORTED_LIMITS);
  }

  /** Whether the worker's config counts. */
  isCounted(slot: number): boolean {
    return this.has(slot, COUNTED);
  }

  hasRole(slot: number, role: Role): boolean {
    return this.has(slot, role === 'decode' ? DECODE : PREFILL);
  }

  /** Whether the worker has an instance in either role. */
  hasInstance(slot: number): boolean {
    return this.has(slot, DECODE | PREFILL);
  }

  isDown(slot: number): boolean {
    return this.has(slot, DOWN);
  }

  /** Whether the worker was busy when it was last judged. */
  isJudgedBusy(slot: number): boolean {
    return this.has(slot, JUDGED_BUSY);
  }

  isOverloadMarked(slot: number): boolean {
    return this.has(slot, OVERLOAD_MARKED);
  }

  /** How the worker was last judged. */
  judgedState(slot: number): WorkerState {
    if (this.has(slot, JUDGED_BUSY)) return 'busy';
    return this.has(slot, JUDGED_FREE) ? 'free' : this.withoutEvidence;
  }

  /** The published state: that of the worker's last transition. */
  state(slot: number): WorkerState {
    if (this.has(slot, PUBLISHED)) return 'busy';
    return this.has(slot, PUBLISHED_FREE) ? 'free' : this.withoutEvidence;
  }

  /** Whether the worker is in the fleet: it has an instance and is not down, or has a state if there is no source of instances. */
  isPresent(slot: number): boolean {
    if (!this.hasSeen('decode') && !this.hasSeen('prefill')) return this.hasState(slot);
    return this.hasInstance(slot) && !this.isDown(slot);
  }

  /** As what the worker is counted. */
  tally(slot: number): TallyName {
    return tallyNames[(this.word(slot, STATUS) & TALLY) >>> TALLY_SHIFT] as TallyName;
  }

  /** Whether the worker is in the busy set. */
  isBusy(slot: number): boolean {
    return this.has(slot, PUBLISHED);
  }

  /** Whether the worker waits to be judged. */
  isQueued(slot: number): boolean {
    return this.has(slot, TO_JUDGE);
  }

  /** Whether the worker may have a transition in the current event. */
  isTouched(slot: number): boolean {
    return this.has(slot, TOUCHED);
  }

  /** When the published state began, in milliseconds; `null` if the worker has had no transition. */
  since(slot: number): number | null {
    const since = this.doubles[(slot * STRIDE) / 2 + SINCE] ?? NaN;
    return Number.isNaN(since) ? null : since;
  }

  /** Whether a config was applied to the worker's state, so that it has a declared range. */
  hasRange(slot: number): boolean {
    return this.has(slot, HAS_RANGE);
  }

  /** The range that the worker's newest config declares; valid only if it has one. */
  range(slot: number): RankRange {
    return { start: this.word(slot, RANGE_START) >>> 0, end: this.word(slot, RANGE_END) >>> 0 };
  }

  /** The number of ranks in the declared range; valid only if it has one. */
  rangeSize(slot: number): number {
    return (this.word(slot, RANGE_END) >>> 0) - (this.word(slot, RANGE_START) >>> 0);
  }

  /** Whether the declared range contains a rank; valid only if the worker has one. Allocates nothing. */
  declares(slot: number, rank: number): boolean {
    return rank >= this.word(slot, RANGE_START) >>> 0 && rank < this.word(slot, RANGE_END) >>> 0;
  }

  /** The limit class of the newest config; valid only if the worker has a declared range. */
  configLimits(slot: number): number {
    return this.word(slot, CONFIG_LIMITS);
  }

  /** The number of ranks that are busy. */
  busyRanks(slot: number): number {
    return this.word(slot, BUSY_RANKS);
  }

  /** The number of ranks that count in the judgement. */
  countedRanks(slot: number): number {
    return this.word(slot, COUNTED_RANKS);
  }

  /** The number of ranks that count in the judgement and are free. */
  freeRanks(slot: number): number {
    return this.word(slot, FREE_RANKS);
  }

  /** The cell of the first rank. The other ranks with values are in the cells after it, ascending. */
  firstCell(slot: number): number {
    return this.word(slot, BASE);
  }

  /** The cell after that of the last rank. */
  endCell(slot: number): number {
    return this.word(slot, BASE) + this.word(slot, COUNT);
  }

  /** The number of ranks with values. */
  rankCount(slot: number): number {
    return this.word(slot, COUNT);
  }

  /** The cells of the worker's ranks, as a block. */
  block(slot: number): CellBlock {
    const logarithm = (this.word(slot, STATUS) & ROOM) >>> ROOM_SHIFT;
    const room = logarithm === 0 ? 0 : 2 ** (logarithm - 1);
    return { base: this.word(slot, BASE), count: this.word(slot, COUNT), room };
  }

  /** The worker's position in the list of busy workers, from 1; 0 when it is not in it. */
  busyPosition(slot: number): number {
    return this.word(slot, BUSY_POSITION);
  }

  setBusyPosition(slot: number, position: number): void {
    this.setWord(slot, BUSY_POSITION, position);
  }

  /** A copy that can be read by slot, but not by id. */
  copy(): WorkerSlots {
    const copy = new WorkerSlots(this.withoutEvidence);
    for (const source of this.sources) copy.setSeen(source);
    copy.ids = this.ids.slice();
    copy.words = this.words.slice(0, this.ids.length * STRIDE);
    copy.doubles = doublesOf(copy.words);
    return copy;
  }

  protected setSeen(source: WorkerSource): void {
    this.sources.add(source);
  }

  /** A slot for a worker that has none. */
  protected add(id: WorkerId): number {
    const slot = this.free.pop() ?? this.append();
    this.ids[slot] = id;
    this.byId.set(id, slot);
    this.words.fill(0, slot * STRIDE, slot * STRIDE + TENANCY);
    this.setSince(slot, NaN);
    return slot;
  }

  /** Releases a slot. */
  protected release(slot: number): void {
    this.byId.delete(this.id(slot));
    this.setWord(slot, TENANCY, this.tenancy(slot) + 1);
    this.free.push(slot);
  }

  /** Sets or clears bits of the status. */
  protected set(slot: number, bits: number, on = true): void {
    const word = slot * STRIDE + STATUS;
    this.words[word] = on ? (this.words[word] ?? 0) | bits : (this.words[word] ?? 0) & ~bits;
  }

  protected setReported(slot: number, { start, end }: RankRange, limits: number): void {
    this.setWord(slot, REPORTED_START, start);
    this.setWord(slot, REPORTED_END, end);
    this.setWord(slot, REPORTED_LIMITS, limits);
  }

  protected setRange(slot: number, { start, end }: RankRange, limits: number): void {
    this.setWord(slot, RANGE_START, start);
    this.setWord(slot, RANGE_END, end);
    this.setWord(slot, CONFIG_LIMITS, limits);
  }

  protected setRanks(slot: number, busy: number, free: number, counted: number): void {
    this.setWord(slot, BUSY_RANKS, busy);
    this.setWord(slot, FREE_RANKS, free);
    this.setWord(slot, COUNTED_RANKS, counted);
  }

  protected setTally(slot: number, name: TallyName): void {
    const status = this.word(slot, STATUS) & ~TALLY;
    this.setWord(slot, STATUS, status | (tallyNames.indexOf(name) << TALLY_SHIFT));
  }

  protected setSince(slot: number, at: number): void {
    this.doubles[(slot * STRIDE) / 2 + SINCE] = at;
  }

  protected setBlock(slot: number, { base, count, room }: CellBlock): void {
    this.setWord(slot, BASE, base);
    this.setWord(slot, COUNT, count);
    const logarithm = room === 0 ? 0 : Math.log2(room) + 1;
    this.setWord(slot, STATUS, (this.word(slot, STATUS) & ~ROOM) | (logarithm << ROOM_SHIFT));
  }

  private has(slot: number, bits: number): boolean {
    return ((this.words[slot * STRIDE + STATUS] ?? 0) & bits) !== 0;
  }

  private word(slot: number, word: number): number {
    return this.words[slot * STRIDE + word] ?? 0;
  }

  private setWord(slot: number, word: number, value: number): void {
    this.words[slot * STRIDE + word] = value;
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

function doublesOf(words: Int32Array): Float64Array {
  return new Float64Array(words.buffer, 0, words.length >> 1);
}
