import { inRange, type RankRange } from '../judgement/rank-state.js';

/**
 * The ranks a worker was ever known to have: those its cards declared, as ranges, and those that reported.
 *
 * A range stays a range, so a card that declares 2^32 ranks costs what a card with one rank costs.
 */
export interface RankMemory {
  readonly declared: readonly RankRange[];
  readonly reported: ReadonlySet<number>;
}

/** No rank is remembered. */
export const noRanks: RankMemory = { declared: [], reported: new Set() };

const LISTED_PER_RANGE = 4096;

/** A memory with one more declared range. */
export function rememberDeclared(memory: RankMemory, range: RankRange): RankMemory {
  if (range.start === range.end || memory.declared.some((known) => contains(known, range))) return memory;
  return { ...memory, declared: [...memory.declared.filter((known) => !contains(range, known)), range] };
}

/** A memory with one more reported rank. */
export function rememberReported(memory: RankMemory, rank: number): RankMemory {
  return memory.reported.has(rank) ? memory : { ...memory, reported: new Set([...memory.reported, rank]) };
}

/** The remembered ranks, ascending; of each declared range at most the first 4 096. */
export function rememberedRanks(memory: RankMemory): number[] {
  const ranks = new Set(memory.reported);
  for (const { start, end } of memory.declared) {
    for (let rank = start; rank < Math.min(end, start + LISTED_PER_RANGE); rank += 1) ranks.add(rank);
  }
  return [...ranks].sort((a, b) => a - b);
}

/** The remembered ranks that lie outside a range, ascending. */
export function ranksOutside(memory: RankMemory, range: RankRange): number[] {
  return rememberedRanks(memory).filter((rank) => !inRange(rank, range));
}

function contains(outer: RankRange, inner: RankRange): boolean {
  return outer.start <= inner.start && outer.end >= inner.end;
}
