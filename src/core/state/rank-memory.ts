import { inRange, type RankRange } from '../judgement/rank-state.js';

/**
 * All ranks that a worker was known to have: those that its configs declared, as ranges, and those with loads. A worker
 * whose config declares no ranks has a memory without ranks, which is not the same as having no memory.
 *
 * A range is never expanded, so a config with 2^32 ranks costs the same as a config with one rank.
 */
export interface RankMemory {
  readonly declared: readonly RankRange[];
  readonly reported: ReadonlySet<number>;
}

/** A memory without ranks: the ranks of the worker are known, and there are none. */
export const noRanks: RankMemory = { declared: [], reported: new Set() };

const LISTED_PER_RANGE = 4096;

/** The memory with one more declared range. */
export function rememberDeclared(memory: RankMemory, range: RankRange): RankMemory {
  if (range.start === range.end || memory.declared.some((known) => contains(known, range))) return memory;
  return { ...memory, declared: [...memory.declared.filter((known) => !contains(range, known)), range] };
}

/** The memory with one more rank that has reported a load. */
export function rememberReported(memory: RankMemory, rank: number): RankMemory {
  return memory.reported.has(rank) ? memory : { ...memory, reported: new Set([...memory.reported, rank]) };
}

/** The remembered ranks, ascending; at most the first 4 096 of each declared range. */
export function rememberedRanks(memory: RankMemory): number[] {
  const ranks = new Set(memory.reported);
  for (const { start, end } of memory.declared) {
    for (let rank = start; rank < Math.min(end, start + LISTED_PER_RANGE); rank += 1) ranks.add(rank);
  }
  return [...ranks].sort((a, b) => a - b);
}

/** The ranks to clean up when an instance leaves: the remembered ones, or rank 0 when its ranks are unknown. */
export function ranksToCleanUp(memory: RankMemory | undefined): number[] {
  return memory === undefined ? [0] : rememberedRanks(memory);
}

/** The remembered ranks outside a range, ascending. */
export function ranksOutside(memory: RankMemory, range: RankRange): number[] {
  return rememberedRanks(memory).filter((rank) => !inRange(rank, range));
}

function contains(outer: RankRange, inner: RankRange): boolean {
  return outer.start <= inner.start && outer.end >= inner.end;
}
