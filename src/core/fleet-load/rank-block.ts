import { noRanks, rememberDeclared, type RankMemory } from '../rank-memory.js';
import { inRange, type RankRange } from '../rank-range.js';
import { limitsOf, rangeOf } from './capacities.js';
import type { FleetStore } from './fleet-store.js';
import { judgeRanks, moveLatch } from './judge-rank.js';
import { ACTIVE, FLAGS, RANK, USED, type CellBlock } from './rank-cells.js';
import { ACTIVE_CLEARED, RANK_BUSY, RANK_COUNTS, USED_CLEARED, withLimits } from './rank-flags.js';
import { BASE, COUNT, HAS_RANGE, ROOM } from './worker-slots.js';

/** The ranks a worker is remembered by, or `undefined` when its ranks are not known; no rank may be all that is known. */
export function memoryOf(store: FleetStore, slot: number): RankMemory | undefined {
  const side = store.memory.get(slot);
  const { slots, cells } = store;
  const { base, count } = blockOf(store, slot);
  if (side === undefined && count === 0 && !slots.has(slot, HAS_RANGE)) return undefined;
  const declared = slots.has(slot, HAS_RANGE)
    ? rememberDeclared(side ?? noRanks, rangeOf(store, slot))
    : (side ?? noRanks);
  if (count === 0) return declared;
  const reported = new Set(declared.reported);
  for (let place = 0; place < count; place += 1) {
    reported.add((cells.words[cells.wordAt(base, place) + RANK] ?? 0) >>> 0);
  }
  return { ...declared, reported };
}

/** The cell of a rank, made silent when there is none. */
export function cellOf(store: FleetStore, slot: number, rank: number): number {
  const { slots, cells } = store;
  const at = slots.at(slot);
  const found = cells.find(slots.words[at + BASE] ?? 0, slots.words[at + COUNT] ?? 0, rank);
  if (found !== -1) return found;
  const block = blockOf(store, slot);
  const word = cells.insert(block, rank, limitsOf(store, slot, rank), ranksExpected(store, slot));
  setBlock(store, slot, block);
  return word;
}

/** Applies what a new card means for the ranks that are there. */
export function renewRanks(store: FleetStore, slot: number, range: RankRange): void {
  const { cells, policy } = store;
  const block = blockOf(store, slot);
  if (policy.capacity === 'reconciled') cells.keep(block, (rank) => inRange(rank, range));
  setBlock(store, slot, block);
  for (let place = 0; place < block.count; place += 1) {
    const word = cells.wordAt(block.base, place);
    const flags = cells.words[word + FLAGS] ?? 0;
    const kept =
      policy.capacity === 'reconciled'
        ? (flags & (RANK_BUSY | RANK_COUNTS)) | ACTIVE_CLEARED | USED_CLEARED
        : flags;
    cells.words[word + FLAGS] = withLimits(
      kept,
      limitsOf(store, slot, (cells.words[word + RANK] ?? 0) >>> 0),
    );
    if (policy.capacity !== 'reconciled') continue;
    moveLatch(store, word, cells.value(word + ACTIVE), cells.value(word + USED));
  }
  judgeRanks(store, slot);
}

/** How many ranks a worker's newest card declares; 1 while it has none. */
function ranksExpected(store: FleetStore, slot: number): number {
  if (!store.slots.has(slot, HAS_RANGE)) return 1;
  const { start, end } = rangeOf(store, slot);
  return end - start;
}

/** The block of a worker’s cells. */
export function blockOf({ slots }: FleetStore, slot: number): CellBlock {
  const at = slots.at(slot);
  return {
    base: slots.words[at + BASE] ?? 0,
    count: slots.words[at + COUNT] ?? 0,
    room: slots.words[at + ROOM] ?? 0,
  };
}

/** Stores where a worker’s cells lie. */
export function setBlock({ slots }: FleetStore, slot: number, block: CellBlock): void {
  const at = slots.at(slot);
  slots.words[at + BASE] = block.base;
  slots.words[at + COUNT] = block.count;
  slots.words[at + ROOM] = block.room;
}
