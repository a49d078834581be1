import type { Count } from '../count.js';
import { type FleetStore, declares } from './fleet-store.js';
import {
  ACTIVE,
  ACTIVE_CLEARED,
  FLAGS,
  HAS_LATCH,
  LATCHED,
  NONE,
  RANK,
  RANK_BUSY,
  RANK_COUNTS,
  TOKENS,
  USED,
  USED_CLEARED,
  WIDE,
  limitsIn,
} from './rank-cells.js';
import { BASE, BUSY_RANKS, COUNT, COUNTED_RANKS, HAS_RANGE } from './worker-slots.js';

/** Judges one rank again, and updates the counters of its worker. */
export function judgeRank(store: FleetStore, slot: number, word: number): void {
  const { words } = store.cells;
  const before = words[word + FLAGS] ?? 0;
  const counts = countsInJudgement(store, slot, word, before);
  const busy = counts && isAboveThreshold(store, word, before);
  const after = (before & ~(RANK_BUSY | RANK_COUNTS)) | (busy ? RANK_BUSY : 0) | (counts ? RANK_COUNTS : 0);
  if (after === before) return;
  words[word + FLAGS] = after;
  const at = store.slots.at(slot);
  const worker = store.slots.words;
  worker[at + BUSY_RANKS] = (worker[at + BUSY_RANKS] ?? 0) + (after & RANK_BUSY) - (before & RANK_BUSY);
  worker[at + COUNTED_RANKS] =
    (worker[at + COUNTED_RANKS] ?? 0) + ((after & RANK_COUNTS) - (before & RANK_COUNTS)) / RANK_COUNTS;
}

/** Judges all ranks of a worker again, and recomputes its counters. */
export function judgeRanks(store: FleetStore, slot: number): void {
  const { slots, cells } = store;
  const at = slots.at(slot);
  const base = slots.words[at + BASE] ?? 0;
  const count = slots.words[at + COUNT] ?? 0;
  slots.words[at + BUSY_RANKS] = 0;
  slots.words[at + COUNTED_RANKS] = 0;
  for (let position = 0; position < count; position += 1) {
    const word = cells.wordAt(base, position);
    cells.words[word + FLAGS] = (cells.words[word + FLAGS] ?? 0) & ~(RANK_BUSY | RANK_COUNTS);
    judgeRank(store, slot, word);
  }
}

/** Updates the latch of a rank with the values of one load. Without total blocks and a decode threshold there is no latch. */
export function moveLatch(store: FleetStore, word: number, active: Count | null, used: Count | null): void {
  const { words } = store.cells;
  const before = words[word + FLAGS] ?? 0;
  const limits = limitsIn(before);
  if (store.policy.decodeSignal !== 'latched' || !store.classes.judgesBlocks(limits)) return;
  const limit = store.classes.blocks[limits] ?? Infinity;
  let flags = before | HAS_LATCH;
  if (active !== null) {
    const isAbove = Number(active) > limit;
    flags = isAbove ? (flags | LATCHED) & ~ACTIVE_CLEARED : flags | ACTIVE_CLEARED;
  }
  if (used !== null) {
    const isAbove = Number(used) > limit;
    flags = isAbove ? (flags | LATCHED) & ~USED_CLEARED : flags | USED_CLEARED;
  }
  const cleared = ACTIVE_CLEARED | USED_CLEARED;
  if ((flags & cleared) === cleared) flags &= ~LATCHED;
  words[word + FLAGS] = flags;
}

/** A rank counts when it has a value that the policy uses and, if the policy judges declared ranks, is declared. */
function countsInJudgement(store: FleetStore, slot: number, word: number, flags: number): boolean {
  const { words } = store.cells;
  const { policy } = store;
  const reported =
    words[word + ACTIVE] !== NONE ||
    words[word + TOKENS] !== NONE ||
    (policy.decodeSignal !== 'active' && (words[word + USED] !== NONE || (flags & HAS_LATCH) !== 0));
  if (!reported || policy.ranksJudged === 'reported' || !store.slots.has(slot, HAS_RANGE)) return reported;
  return declares(store, slot, (words[word + RANK] ?? 0) >>> 0);
}

function isAboveThreshold(store: FleetStore, word: number, flags: number): boolean {
  const { cells, classes, policy } = store;
  const { words } = cells;
  const limits = limitsIn(flags);
  const tokens = words[word + TOKENS] ?? NONE;
  if (tokens >= 0) {
    if (tokens > (classes.tokens[limits] ?? Infinity)) return true;
  } else if (tokens === WIDE) {
    const exact = classes.exactTokens[limits] ?? null;
    if (exact !== null && (cells.value(word + TOKENS) ?? 0) > exact) return true;
  }
  const limit = classes.blocks[limits] ?? Infinity;
  if (limit === Infinity) return false;
  switch (policy.decodeSignal) {
    case 'active':
      return blocksAt(store, word + ACTIVE) > limit;
    case 'used-else-active':
      return blocksAt(store, words[word + USED] === NONE ? word + ACTIVE : word + USED) > limit;
    case 'latched':
      if ((flags & HAS_LATCH) !== 0) return (flags & LATCHED) !== 0;
      return blocksAt(store, word + USED) > limit || blocksAt(store, word + ACTIVE) > limit;
  }
}

/** The blocks in a word as binary64; NaN without a value, so that no limit is exceeded. */
function blocksAt({ cells }: FleetStore, word: number): number {
  const value = cells.words[word] ?? NONE;
  if (value >= 0) return value;
  return value === NONE ? NaN : Number(cells.value(word));
}
