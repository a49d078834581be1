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
