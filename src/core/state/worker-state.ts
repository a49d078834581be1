import { neededRanks } from '../judgement/is-busy.js';
import { type RankRange, inRange } from '../judgement/rank-state.js';
import { type FleetStore, limitsOf, rangeOf } from './fleet-store.js';
import { judgeRanks, moveLatch } from './judge-rank.js';
import {
  ACTIVE,
  ACTIVE_CLEARED,
  type CellBlock,
  FLAGS,
  RANK,
  RANK_BUSY,
  RANK_COUNTS,
  USED,
  USED_CLEARED,
  withLimits,
} from './rank-cells.js';
import { type RankMemory, noRanks, rememberDeclared } from './rank-memory.js';
import {
  BASE,
  BUSY_RANKS,
  COUNT,
  COUNTED,
  COUNTED_RANKS,
  DECODE,
  DOWN,
  HAS_RANGE,
  HAS_STATE,
  KEEPS,
  PREFILL,
  RANGE_END,
  RANGE_START,
  ROOM,
  TOUCHED,
  TO_JUDGE,
} from './worker-slots.js';

/** The remembered ranks of a worker, which may be none; `undefined` when its ranks are unknown. */
export function memoryOf(store: FleetStore, slot: number): RankMemory | undefined {
  const older = store.memory.get(slot);
  const { slots, cells } = store;
  const { base, count } = blockOf(store, slot);
  if (older === undefined && count === 0 && !slots.has(slot, HAS_RANGE)) return undefined;
  const declared = slots.has(slot, HAS_RANGE)
    ? rememberDeclared(older ?? noRanks, rangeOf(store, slot))
    : (older ?? noRanks);
  if (count === 0) return declared;
  const reported = new Set(declared.reported);
  for (let position = 0; position < count; position += 1) {
    reported.add((cells.words[cells.wordAt(base, position) + RANK] ?? 0) >>> 0);
  }
  return { ...declared, reported };
}

/** The word index of the cell of a rank; a new cell without values if it has none. */
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

/** Applies a new config to the ranks that have cells. */
export function renewRanks(store: FleetStore, slot: number, range: RankRange): void {
  const { cells, policy } = store;
  const block = blockOf(store, slot);
  if (policy.capacity === 'reconciled') cells.keep(block, (rank) => inRange(rank, range));
  setBlock(store, slot, block);
  for (let position = 0; position < block.count; position += 1) {
    const word = cells.wordAt(block.base, position);
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

/** The number of ranks that a worker's newest config declares; 1 while it has no config. */
function ranksExpected(store: FleetStore, slot: number): number {
  if (!store.slots.has(slot, HAS_RANGE)) return 1;
  const { start, end } = rangeOf(store, slot);
  return end - start;
}

/** The block of a worker's cells. */
function blockOf({ slots }: FleetStore, slot: number): CellBlock {
  const at = slots.at(slot);
  return {
    base: slots.words[at + BASE] ?? 0,
    count: slots.words[at + COUNT] ?? 0,
    room: slots.words[at + ROOM] ?? 0,
  };
}

/** Stores the block of a worker's cells. */
function setBlock({ slots }: FleetStore, slot: number, block: CellBlock): void {
  const at = slots.at(slot);
  slots.words[at + BASE] = block.base;
  slots.words[at + COUNT] = block.count;
  slots.words[at + ROOM] = block.room;
}

/** Notes that a worker may have a transition in this event. Its earlier status is kept, for the reason of the verdict. */
export function touch(store: FleetStore, slot: number): void {
  const before = store.slots.status(slot);
  if ((before & TOUCHED) !== 0) return;
  store.slots.set(slot, TOUCHED);
  store.touched.push({ slot, before });
}

/** Notes that a worker must be judged at the next event that judges. */
export function queue(store: FleetStore, slot: number): void {
  if (store.slots.has(slot, TO_JUDGE)) return;
  store.slots.set(slot, TO_JUDGE);
  store.toJudge.push(slot);
}

/** Whether a worker is known under the policy, and therefore judged. */
export function isKnown(
  store: Pick<FleetStore, 'slots' | 'policy' | 'configsSeen' | 'decodeSeen' | 'prefillSeen'>,
  slot: number,
): boolean {
  const rule = store.policy.unknownWorkers;
  const status = store.slots.status(slot);
  if (rule.loads === 'tracked') return true;
  if (rule.loads === 'dropped') return (status & DECODE) !== 0 && (status & DOWN) === 0;
  if (store.configsSeen) return (status & COUNTED) !== 0;
  return (!store.decodeSeen && !store.prefillSeen) || (status & (DECODE | PREFILL)) !== 0;
}

/** Whether a worker's ranks make it busy, according to its counters. */
export function isAboveThresholds(store: FleetStore, slot: number): boolean {
  const { slots, policy } = store;
  const at = slots.at(slot);
  if (!slots.has(slot, HAS_STATE)) return false;
  const declared = policy.ranksJudged === 'declared' && slots.has(slot, HAS_RANGE);
  const judged = declared
    ? ((slots.words[at + RANGE_END] ?? 0) >>> 0) - ((slots.words[at + RANGE_START] ?? 0) >>> 0)
    : (slots.words[at + COUNTED_RANKS] ?? 0);
  return judged > 0 && (slots.words[at + BUSY_RANKS] ?? 0) >= neededRanks(policy.rollUp, judged);
}

/** Makes a state for a worker that has none. */
export function ensureState(store: FleetStore, slot: number): void {
  const { slots } = store;
  if (slots.has(slot, HAS_STATE)) return;
  touch(store, slot);
  slots.set(slot, HAS_STATE);
  store.states += 1;
  noteSettled(store, slot);
}

/** Updates the sets of unsettled and of held workers after a change of a worker's state, config or roles. */
export function noteSettled(store: FleetStore, slot: number): void {
  const hasState = store.slots.has(slot, HAS_STATE);
  const holds = store.policy.unknownWorkers.loads === 'held';
  const isUnsettled = store.slots.has(slot, COUNTED)
    ? !store.slots.has(slot, HAS_RANGE)
    : !holds && (hasState || store.memory.has(slot));
  if (isUnsettled) store.unsettled.add(slot);
  else store.unsettled.delete(slot);
  if (!holds) return;
  if (hasState && !isKnown(store, slot)) store.held.add(slot);
  else store.held.delete(slot);
}

/** Forgets the values of a worker's ranks, and its capacities. */
export function forgetState(store: FleetStore, slot: number): void {
  const { slots, cells } = store;
  if (!slots.has(slot, HAS_STATE)) return;
  touch(store, slot);
  const block = blockOf(store, slot);
  cells.release(block);
  setBlock(store, slot, block);
  const at = slots.at(slot);
  slots.words[at + BUSY_RANKS] = 0;
  slots.words[at + COUNTED_RANKS] = 0;
  slots.set(slot, HAS_STATE | HAS_RANGE, false);
  store.layers.delete(slot);
  store.states -= 1;
  queue(store, slot);
  noteSettled(store, slot);
}

/** Releases the slots of workers about which nothing is known any more. */
export function releaseEmpty(store: FleetStore): void {
  const { slots, maybeEmpty } = store;
  store.maybeEmpty = [];
  for (const slot of maybeEmpty) {
    if (slots.has(slot, KEEPS) || store.memory.has(slot) || slots.find(slots.id(slot)) !== slot) continue;
    slots.release(slot);
  }
}
