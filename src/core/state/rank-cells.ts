import type { Count } from '../count.js';
import type { RankState } from '../judgement/rank-state.js';
import { jsonReady } from '../ordinary-value.js';
import type { LimitClasses } from './limit-classes.js';

/** From this number of words on, an array grows by an eighth, since half of a doubled one would be unused. */
const LARGE = 100_000;

/** A copy in a longer array of at least `min` words: twice as long, or an eighth longer once it is large. */
export function growWords(words: Int32Array, min: number): Int32Array {
  const growth = words.length < LARGE ? 2 : 1.125;
  const longer = new Int32Array(Math.max(Math.ceil(words.length * growth), min));
  longer.set(words);
  return longer;
}

/**
 * Bits of the word of flags in the cell of a rank: the rank is busy; it counts in the judgement; it has a latch; the latch
 * is closed; its active and its used blocks are cleared.
 */
export const RANK_BUSY = 1;
export const RANK_COUNTS = 2;
export const HAS_LATCH = 4;
export const LATCHED = 8;
export const ACTIVE_CLEARED = 16;
export const USED_CLEARED = 32;

/** The bits above the flags hold the limit class of the rank. */
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

/** The words of the cell of a rank. Large counts are in a side map; {@link NONE} is the absence of a value. */
export const RANK = 0;
export const ACTIVE = 1;
export const TOKENS = 2;
export const USED = 3;
export const FLAGS = 4;
export const RECEIVED = 5;
export const WORDS_PER_CELL = 6;

/** The absence of a value. */
export const NONE = -1;
/** The value is above 2^31 − 1, and is in the side map. */
export const WIDE = -2;

/** Consecutive cells of one worker, sorted by rank. `count` of its `room` cells are used. */
export interface CellBlock {
  base: number;
  count: number;
  room: number;
}

/** Copied cells. `wide` has their large values, by the index of the word in the copy; `undefined` if there are none. */
export interface CellsCopy {
  readonly words: ArrayLike<number>;
  readonly wide: ReadonlyMap<number, Count> | undefined;
}

const MAX_EXPECTED_RANKS = 64;

/**
 * The cells of all ranks of a pool in one flat typed array, 24 bytes for each rank. The cells of a worker are one block,
 * sorted by rank, so that a rank of a worker with consecutive ranks is found by one subtraction. `used` is the number of
 * cells that were allocated to blocks.
 */
export class RankCells {
  words: Int32Array = new Int32Array(64 * WORDS_PER_CELL);
  /** Large values, by the index of their word. */
  readonly wide = new Map<number, Count>();
  used = 0;
  /** Released blocks, by the binary logarithm of their room. */
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
   * Makes a cell without values for a rank, and returns its word index. The block may move. A first block has room for
   * `expected` ranks, so that filling it rank by rank does not leave a series of smaller blocks.
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

  /** Keeps only the cells whose rank passes, in order. */
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

  /** Releases a block. */
  release(block: CellBlock): void {
    for (let i = 0; i < block.count; i += 1) this.clearWide(block.base + i);
    if (block.room > 0) (this.free[Math.log2(block.room)] ??= []).push(block.base);
    block.base = 0;
    block.count = 0;
    block.room = 0;
  }

  /** A copy of the cells of a block. It is a plain array, since a short typed array stores its words outside the heap. */
  copy(base: number, count: number): CellsCopy {
    const from = base * WORDS_PER_CELL;
    const words = new Array<number>(count * WORDS_PER_CELL);
    for (let i = 0; i < words.length; i += 1) words[i] = this.words[from + i] ?? 0;
    return { words, wide: this.wide.size === 0 ? undefined : this.wideFrom(from, words.length) };
  }

  /** The word index of the cell at a position of a block. */
  wordAt(base: number, position: number): number {
    return (base + position) * WORDS_PER_CELL;
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

  /** The large values in a range of words, by their index in the range. */
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

/** The milliseconds since a receipt, in steps of 16, up to a year; 0 for a receipt in the future, `null` if it is unknown. */
export function sinceReceipt(receipt: number, now: number): number | null {
  // The word wraps around, and the difference wraps in the same way.
  return receipt === NONE ? null : Math.max(0, (receiptOf(now) - receipt) | 0) * UNIT;
}

/** The state of the rank whose cell starts at a word of a copy. */
export function rankStateAt(cells: CellsCopy, classes: LimitClasses, word: number): RankState {
  const flags = cells.words[word + FLAGS] ?? 0;
  const limits = limitsIn(flags);
  return jsonReady({
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
  });
}

/** The value in a word of a copy: a count, or `null`. */
export function copiedValue({ words, wide }: CellsCopy, word: number): Count | null {
  const value = words[word] ?? 0;
  return value >= 0 ? value : (wide?.get(word) ?? null);
}
