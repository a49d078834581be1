import type { Count } from '../../count.js';
import type { RankState } from '../../judgement/rank-state.js';
import type { WorkerState } from '../../judgement/worker-state.js';
import { jsonReady } from '../../ordinary-value.js';
import type { LimitClasses } from '../limit-classes.js';
import { growWords } from './grow-words.js';

/**
 * Bits of the word of flags in the cell of a rank: the rank is busy; it counts in the judgement; it has a latch; the latch
 * is closed; its active and its used blocks are cleared; it counts and is free.
 */
const RANK_BUSY = 1;
const RANK_COUNTS = 2;
const HAS_LATCH = 4;
const LATCHED = 8;
const ACTIVE_CLEARED = 16;
const USED_CLEARED = 32;
const RANK_FREE = 64;

/** The bits above the flags hold the limit class of the rank. */
const LIMITS_SHIFT = 7;
const ALL_FLAGS = 2 ** LIMITS_SHIFT - 1;

/** The words of the cell of a rank. Large counts are in a side map; {@link NONE} is the absence of a value. */
const RANK = 0;
const ACTIVE = 1;
const TOKENS = 2;
const USED = 3;
const FLAGS = 4;
const RECEIVED = 5;
const WORDS_PER_CELL = 6;

/** The absence of a value. */
const NONE = -1;
/** The value is above 2^31 − 1, and is in the side map. */
const WIDE = -2;

/** Consecutive cells of one worker, sorted by rank. `count` of its `room` cells are used. */
export interface CellBlock {
  base: number;
  count: number;
  room: number;
}

const MAX_EXPECTED_RANKS = 64;

/** What is stored about each rank, by the number of its cell: 24 bytes for each in one flat typed array. */
export class RankFacts {
  protected words: Int32Array = new Int32Array(64 * WORDS_PER_CELL);
  /** Large values, by the index of their word. */
  protected readonly wide = new Map<number, Count>();
  /** The number of cells that were allocated to blocks. */
  protected used = 0;

  rank(cell: number): number {
    return (this.words[cell * WORDS_PER_CELL + RANK] ?? 0) >>> 0;
  }

  activeDecodeBlocks(cell: number): Count | null {
    return this.value(cell * WORDS_PER_CELL + ACTIVE);
  }

  activePrefillTokens(cell: number): Count | null {
    return this.value(cell * WORDS_PER_CELL + TOKENS);
  }

  kvUsedBlocks(cell: number): Count | null {
    return this.value(cell * WORDS_PER_CELL + USED);
  }

  /** Whether the rank has reported active blocks or tokens. */
  hasActiveOrTokens(cell: number): boolean {
    const word = cell * WORDS_PER_CELL;
    return this.words[word + ACTIVE] !== NONE || this.words[word + TOKENS] !== NONE;
  }

  /** The limit class of the rank. */
  limits(cell: number): number {
    return this.flags(cell) >>> LIMITS_SHIFT;
  }

  isBusy(cell: number): boolean {
    return (this.flags(cell) & RANK_BUSY) !== 0;
  }

  /** Whether the rank counts in the judgement of its worker, and is free. */
  isFree(cell: number): boolean {
    return (this.flags(cell) & RANK_FREE) !== 0;
  }

  /** Whether this is how the rank was judged; `null`: it does not count. */
  hasVerdict(cell: number, state: WorkerState | null): boolean {
    return (this.flags(cell) & VERDICT) === verdictFlags(state);
  }

  /** Whether the rank counts in the judgement of its worker. */
  isCounted(cell: number): boolean {
    return (this.flags(cell) & RANK_COUNTS) !== 0;
  }

  hasLatch(cell: number): boolean {
    return (this.flags(cell) & HAS_LATCH) !== 0;
  }

  isLatched(cell: number): boolean {
    return (this.flags(cell) & LATCHED) !== 0;
  }

  isActiveCleared(cell: number): boolean {
    return (this.flags(cell) & ACTIVE_CLEARED) !== 0;
  }

  isUsedCleared(cell: number): boolean {
    return (this.flags(cell) & USED_CLEARED) !== 0;
  }

  /** A copy of consecutive cells. It is a plain array, since a short typed array stores its words outside the heap. */
  copy(first: number, count: number): CellsCopy {
    const from = first * WORDS_PER_CELL;
    const words = new Array<number>(count * WORDS_PER_CELL);
    for (let i = 0; i < words.length; i += 1) words[i] = this.words[from + i] ?? 0;
    return new CellsCopy(words, this.wide.size === 0 ? undefined : this.wideFrom(from, words.length));
  }

  /** A copy of all cells. */
  copyAll(): CellsCopy {
    const words = this.words.slice(0, this.used * WORDS_PER_CELL);
    return new CellsCopy(words, this.wide.size === 0 ? undefined : new Map(this.wide));
  }

  protected flags(cell: number): number {
    return this.words[cell * WORDS_PER_CELL + FLAGS] ?? 0;
  }

  private value(word: number): Count | null {
    const value = this.words[word] ?? NONE;
    if (value >= 0) return value;
    return value === NONE ? null : (this.wide.get(word) ?? null);
  }

  /** The large values in a range of words, by their index in the range. */
  private wideFrom(from: number, length: number): Map<number, Count> {
    const found = new Map<number, Count>();
    for (let i = 0; i < length; i += 1) {
      const value = this.wide.get(from + i);
      if (value !== undefined) found.set(i, value);
    }
    return found;
  }
}

/**
 * The cells of all ranks of a pool. The cells of a worker are one block, sorted by rank, so that a rank of a worker with
 * consecutive ranks is found by one subtraction. What follows from a change is up to the store.
 */
export class RankCells extends RankFacts {
  /** Released blocks, by the binary logarithm of their room. */
  private readonly free: number[][] = [];

  /** The cell of a rank in the `count` cells from `base`, or -1. */
  find(base: number, count: number, rank: number): number {
    if (count === 0) return -1;
    const guess = rank - this.rank(base);
    if (guess < 0) return -1;
    if (guess < count && this.rank(base + guess) === rank) return base + guess;
    let low = 0;
    let high = Math.min(guess, count - 1);
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.rank(base + middle);
      if (found === rank) return base + middle;
      if (found < rank) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /**
   * Makes a cell without values for a rank, and returns it. The block may move. A first block has room for `expected`
   * ranks, so that filling it rank by rank does not leave a series of smaller blocks.
   */
  insert(block: CellBlock, rank: number, limits: number, expected: number): number {
    if (block.count === block.room) this.enlarge(block, expected);
    let at = block.count;
    while (at > 0 && this.rank(block.base + at - 1) > rank) at -= 1;
    for (let i = block.count; i > at; i -= 1) this.move(block.base + i - 1, block.base + i);
    block.count += 1;
    const cell = block.base + at;
    const word = cell * WORDS_PER_CELL;
    this.words.fill(NONE, word, word + WORDS_PER_CELL);
    this.words[word + RANK] = rank;
    this.words[word + FLAGS] = ACTIVE_CLEARED | USED_CLEARED | (limits << LIMITS_SHIFT);
    return cell;
  }

  /** Keeps only the cells whose rank passes, in order. */
  keep(block: CellBlock, passes: (rank: number) => boolean): void {
    let kept = 0;
    for (let i = 0; i < block.count; i += 1) {
      if (!passes(this.rank(block.base + i))) this.clearWide(block.base + i);
      else {
        if (kept !== i) this.move(block.base + i, block.base + kept);
        kept += 1;
      }
    }
    block.count = kept;
  }

  /** Releases a block. */
  release(block: CellBlock): void {
    for (let i = 0; i < block.count; i += 1) this.clearWide(block.base + i);
    if (block.room > 0) (this.free[Math.log2(block.room)] ??= []).push(block.base);
    block.base = 0;
    block.count = 0;
    block.room = 0;
  }

  /** Stores the values of a load; `null` keeps the last value. */
  store(cell: number, active: Count | null, tokens: Count | null, used: Count | null, receipt: number): void {
    const word = cell * WORDS_PER_CELL;
    this.words[word + RECEIVED] = receipt;
    if (active !== null) this.storeValue(word + ACTIVE, active);
    if (tokens !== null) this.storeValue(word + TOKENS, tokens);
    if (used !== null) this.storeValue(word + USED, used);
  }

  setVerdict(cell: number, state: WorkerState | null): void {
    this.setFlags(cell, (this.flags(cell) & ~VERDICT) | verdictFlags(state));
  }

  setLatch(cell: number, latched: boolean, activeCleared: boolean, usedCleared: boolean): void {
    const flags = this.flags(cell) & ~(LATCHED | ACTIVE_CLEARED | USED_CLEARED);
    this.setFlags(
      cell,
      flags |
        HAS_LATCH |
        (latched ? LATCHED : 0) |
        (activeCleared ? ACTIVE_CLEARED : 0) |
        (usedCleared ? USED_CLEARED : 0),
    );
  }

  removeLatch(cell: number): void {
    this.setFlags(cell, (this.flags(cell) & ~(HAS_LATCH | LATCHED)) | ACTIVE_CLEARED | USED_CLEARED);
  }

  setLimits(cell: number, limits: number): void {
    this.setFlags(cell, (this.flags(cell) & ALL_FLAGS) | (limits << LIMITS_SHIFT));
  }

  private setFlags(cell: number, flags: number): void {
    this.words[cell * WORDS_PER_CELL + FLAGS] = flags;
  }

  private storeValue(word: number, value: Count): void {
    if (typeof value === 'number' && value <= 0x7fff_ffff) {
      if (this.words[word] === WIDE) this.wide.delete(word);
      this.words[word] = value;
    } else {
      this.words[word] = WIDE;
      this.wide.set(word, value);
    }
  }

  private enlarge(block: CellBlock, expected: number): void {
    const room = block.room === 0 ? roomFor(expected) : block.room * 2;
    const base = this.free[Math.log2(room)]?.pop() ?? this.append(room);
    for (let i = 0; i < block.count; i += 1) this.move(block.base + i, base + i);
    const { count } = block;
    block.count = 0;
    this.release(block);
    block.base = base;
    block.count = count;
    block.room = room;
  }

  private append(room: number): number {
    const base = this.used;
    this.used += room;
    if (this.used * WORDS_PER_CELL > this.words.length)
      this.words = growWords(this.words, this.used * WORDS_PER_CELL);
    return base;
  }

  private move(from: number, to: number): void {
    const source = from * WORDS_PER_CELL;
    const target = to * WORDS_PER_CELL;
    this.words.copyWithin(target, source, source + WORDS_PER_CELL);
    for (const word of [ACTIVE, TOKENS, USED]) {
      this.wide.delete(target + word);
      const value = this.wide.get(source + word);
      if (value === undefined) continue;
      this.wide.set(target + word, value);
      this.wide.delete(source + word);
    }
  }

  private clearWide(cell: number): void {
    for (const word of [ACTIVE, TOKENS, USED]) this.wide.delete(cell * WORDS_PER_CELL + word);
  }
}

const VERDICT = RANK_BUSY | RANK_COUNTS | RANK_FREE;

function verdictFlags(state: WorkerState | null): number {
  if (state === 'busy') return RANK_BUSY | RANK_COUNTS;
  if (state === 'free') return RANK_FREE | RANK_COUNTS;
  return state === null ? 0 : RANK_COUNTS;
}

/** A power of two with room for the expected ranks. It is limited, since a config may declare ranks that stay silent. */
function roomFor(expected: number): number {
  const cells = Math.min(Math.max(expected, 1), MAX_EXPECTED_RANKS);
  return 2 ** Math.ceil(Math.log2(cells));
}

/** The unit of a time in one word, in milliseconds. */
const UNIT = 16;

/** A time in milliseconds as one word; {@link NONE} for NaN, an unknown time. */
export function receiptOf(ms: number): number {
  return Number.isNaN(ms) ? NONE : (ms / UNIT) | 0;
}

/**
 * Copied cells, numbered from 0. They are read apart from the cells in use, whose methods then see only typed arrays.
 * `wide` has their large values, by the index of the word in the copy; `undefined` if there are none.
 */
export class CellsCopy {
  constructor(
    private readonly words: ArrayLike<number>,
    private readonly wide: ReadonlyMap<number, Count> | undefined,
  ) {}

  get count(): number {
    return this.words.length / WORDS_PER_CELL;
  }

  rank(cell: number): number {
    return this.word(cell, RANK) >>> 0;
  }

  isBusy(cell: number): boolean {
    return (this.word(cell, FLAGS) & RANK_BUSY) !== 0;
  }

  limits(cell: number): number {
    return this.word(cell, FLAGS) >>> LIMITS_SHIFT;
  }

  activeDecodeBlocks(cell: number): Count | null {
    return this.value(cell, ACTIVE);
  }

  activePrefillTokens(cell: number): Count | null {
    return this.value(cell, TOKENS);
  }

  kvUsedBlocks(cell: number): Count | null {
    return this.value(cell, USED);
  }

  /** The milliseconds since the last load, in steps of 16, up to a year; 0 for a load in the future, `null` if it is unknown. */
  age(cell: number, now: number): number | null {
    const receipt = this.word(cell, RECEIVED);
    // The word wraps around, and the difference wraps in the same way.
    return receipt === NONE ? null : Math.max(0, (receiptOf(now) - receipt) | 0) * UNIT;
  }

  /** The state of a rank, in the form that the checks take. */
  state(cell: number, classes: LimitClasses): RankState {
    const flags = this.word(cell, FLAGS);
    const limits = this.limits(cell);
    return jsonReady({
      activeDecodeBlocks: this.activeDecodeBlocks(cell),
      activePrefillTokens: this.activePrefillTokens(cell),
      kvUsedBlocks: this.kvUsedBlocks(cell),
      totalKvBlocks: classes.totals[limits] ?? null,
      maxNumBatchedTokens: classes.batches[limits] ?? null,
      latch:
        (flags & HAS_LATCH) === 0
          ? null
          : {
              latched: (flags & LATCHED) !== 0,
              activeCleared: (flags & ACTIVE_CLEARED) !== 0,
              usedCleared: (flags & USED_CLEARED) !== 0,
            },
    });
  }

  private word(cell: number, word: number): number {
    return this.words[cell * WORDS_PER_CELL + word] ?? 0;
  }

  private value(cell: number, word: number): Count | null {
    const value = this.word(cell, word);
    return value >= 0 ? value : (this.wide?.get(cell * WORDS_PER_CELL + word) ?? null);
  }
}
