import type { Count } from '../count.js';
import type { RankState } from '../judgement/rank-state.js';
import type { LimitClasses } from './limit-classes.js';

/** From this many words on, an array grows by an eighth: half of a doubled one would lie idle. */
const LARGE = 100_000;

/** The words in a longer array, with room for at least `least`: twice as long, or an eighth longer once large. */
export function growWords(words: Int32Array, min: number): Int32Array<ArrayBuffer> {
  const growth = words.length < LARGE ? 2 : 1.125;
  const longer = new Int32Array(Math.max(Math.ceil(words.length * growth), min));
  longer.set(words);
  return longer;
}

/** Bits of the word of flags in a rank's cell: the rank is busy; it counts in a judgement; the latch exists, holds, sees signals back. */
export const RANK_BUSY = 1;
export const RANK_COUNTS = 2;
export const HAS_LATCH = 4;
export const LATCHED = 8;
export const ACTIVE_CLEARED = 16;
export const USED_CLEARED = 32;

/** The bits above these: the number of the rank's pair of capacities among the limit classes. */
const LIMITS_SHIFT = 6;
const ALL_FLAGS = 2 ** LIMITS_SHIFT - 1;

/** The limit class in a word of flags. */
export function limitsIn(flags: number): number {
  return flags >>> LIMITS_SHIFT;
}

/** A word of flags with another limit class. */
export function withLimits(flags: number, limits: number): number {
  return (flags & ALL_FLAGS) | (limits << LIMITS_SHIFT);
}

/** The words of a rank's cell. Counts that are not small lie in a side map; {@link NONE} is no value. */
export const RANK = 0;
export const ACTIVE = 1;
export const TOKENS = 2;
export const USED = 3;
export const FLAGS = 4;
export const RECEIVED = 5;
export const WORDS_PER_CELL = 6;

/** No value was reported. */
export const NONE = -1;
/** The value is above 2^31 − 1 and lies in the side map. */
export const WIDE = -2;

/** Consecutive cells of one worker, sorted by rank. `room` is how many cells the block has. */
export interface CellBlock {
  base: number;
  count: number;
  room: number;
}

/** Cells that were copied; their values that are not small by the index of their word in the copy, if there are any. */
export interface CellsCopy {
  readonly words: ArrayLike<number>;
  readonly wide: ReadonlyMap<number, Count> | undefined;
}

const MAX_EXPECTED_RANKS = 64;

/**
 * The cells of all ranks of a fleet, in one flat typed array: 24 bytes a rank. A worker's cells are one block,
 * sorted by rank, so that a worker whose ranks are consecutive finds a rank by one subtraction. `used` cells were given.
 */
export class RankCells {
  words = new Int32Array(64 * WORDS_PER_CELL);
  /** Values that are not small, by the index of their word. */
  readonly wide = new Map<number, Count>();
  used = 0;
  /** Blocks given back, by the binary logarithm of their room. */
  private readonly free: number[][] = [];

  /** The word index of the cell of a rank, or -1. */
  find(base: number, count: number, rank: number): number {
    if (count === 0) return -1;
    const first = this.rankAt(base);
    const guess = rank - first;
    if (guess < 0) return -1;
    if (guess < count && this.rankAt(base + guess) === rank) return (base + guess) * WORDS_PER_CELL;
    let low = 0;
    let high = Math.min(guess, count - 1);
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.rankAt(base + middle);
      if (found === rank) return (base + middle) * WORDS_PER_CELL;
      if (found < rank) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /**
   * Makes a silent cell for a rank that has none and returns its word index. The block may move; a first block has
   * room for `expected` ranks, so that one that fills up in turn leaves no smaller ones behind.
   */
  insert(block: CellBlock, rank: number, limits: number, expected: number): number {
    if (block.count === block.room) this.enlarge(block, expected);
    let at = block.count;
    while (at > 0 && this.rankAt(block.base + at - 1) > rank) at -= 1;
    for (let i = block.count; i > at; i -= 1) this.move(block.base + i - 1, block.base + i);
    block.count += 1;
    const word = (block.base + at) * WORDS_PER_CELL;
    this.words.fill(NONE, word, word + WORDS_PER_CELL);
    this.words[word + RANK] = rank;
    this.words[word + FLAGS] = withLimits(ACTIVE_CLEARED | USED_CLEARED, limits);
    return word;
  }

  /** Keeps the cells whose rank passes, in order. */
  keep(block: CellBlock, passes: (rank: number) => boolean): void {
    let kept = 0;
    for (let i = 0; i < block.count; i += 1) {
      if (!passes(this.rankAt(block.base + i))) this.clearWide(block.base + i);
      else {
        if (kept !== i) this.move(block.base + i, block.base + kept);
        kept += 1;
      }
    }
    block.count = kept;
  }

  /** Gives a block back. */
  release(block: CellBlock): void {
    for (let i = 0; i < block.count; i += 1) this.clearWide(block.base + i);
    if (block.room > 0) (this.free[Math.log2(block.room)] ??= []).push(block.base);
    block.base = 0;
    block.count = 0;
    block.room = 0;
  }

  /** The cells of a block as they are now. A plain array: a typed one of this length has its words outside the heap. */
  copy(base: number, count: number): CellsCopy {
    const from = base * WORDS_PER_CELL;
    const words = new Array<number>(count * WORDS_PER_CELL);
    for (let i = 0; i < words.length; i += 1) words[i] = this.words[from + i] ?? 0;
    return { words, wide: this.wide.size === 0 ? undefined : this.wideFrom(from, words.length) };
  }

  /** The word index of the cell at a place of a block. */
  wordAt(base: number, place: number): number {
    return (base + place) * WORDS_PER_CELL;
  }

  /** The value in a word: a count, or `null`. */
  value(word: number): Count | null {
    const value = this.words[word] ?? NONE;
    if (value >= 0) return value;
    return value === NONE ? null : (this.wide.get(word) ?? null);
  }

  /** Stores a count in a word. */
  store(word: number, value: Count): void {
    if (typeof value === 'number' && value <= 0x7fff_ffff) {
      if (this.words[word] === WIDE) this.wide.delete(word);
      this.words[word] = value;
    } else {
      this.words[word] = WIDE;
      this.wide.set(word, value);
    }
  }

  /** The values that are not small in a stretch of words, by their index in it. */
  private wideFrom(from: number, length: number): Map<number, Count> {
    const found = new Map<number, Count>();
    for (let i = 0; i < length; i += 1) {
      const value = this.wide.get(from + i);
      if (value !== undefined) found.set(i, value);
    }
    return found;
  }

  private rankAt(cell: number): number {
    return (this.words[cell * WORDS_PER_CELL + RANK] ?? 0) >>> 0;
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

/** The power of two that holds the expected ranks, within reason: a card may declare ranks that never report. */
function roomFor(expected: number): number {
  const cells = Math.min(Math.max(expected, 1), MAX_EXPECTED_RANKS);
  return 2 ** Math.ceil(Math.log2(cells));
}

/** A moment in one word counts this many milliseconds. */
const UNIT = 16;

/** A moment in milliseconds as one word; {@link NONE} for NaN, a moment that nobody knows. */
export function receiptOf(ms: number): number {
  return Number.isNaN(ms) ? NONE : (ms / UNIT) | 0;
}

/** How many milliseconds passed since a receipt, by 16, for up to a year; none for one of the future. `null`: unknown. */
export function sinceReceipt(receipt: number, now: number): number | null {
  // The word wraps, and so does the difference.
  return receipt === NONE ? null : Math.max(0, (receiptOf(now) - receipt) | 0) * UNIT;
}

/** What is known of the rank whose cell begins at a word of a copy. */
export function rankStateAt(cells: CellsCopy, classes: LimitClasses, word: number): RankState {
  const flags = cells.words[word + FLAGS] ?? 0;
  const limits = limitsIn(flags);
  return {
    activeDecodeBlocks: copiedValue(cells, word + ACTIVE),
    activePrefillTokens: copiedValue(cells, word + TOKENS),
    kvUsedBlocks: copiedValue(cells, word + USED),
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
  };
}

/** The value in a word of a copy: a count, or `null`. */
export function copiedValue({ words, wide }: CellsCopy, word: number): Count | null {
  const value = words[word] ?? 0;
  return value >= 0 ? value : (wide?.get(word) ?? null);
}
