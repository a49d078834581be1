import type { LoadPolicy } from './load-policy.js';
import type { RuntimeConfig } from './runtime-config.js';

/** Consecutive data-parallel ranks, `start` included, `end` excluded. Empty when both are equal. */
export interface RankRange {
  readonly start: number;
  readonly end: number;
}

const U32_VALUES = 2 ** 32;
const MAX_RANKS_PER_WORKER = 4096;

/**
 * The ranks that a card declares, by the `rankRange` cell of a policy.
 *
 * 1. `from-zero`: ranks 0 to size; a start rank is ignored.
 * 2. `wrapping`: start + size modulo 2^32; a range that wraps is empty.
 * 3. `checked`, `checked-and-reported`: size 1 to 4096 and an end that fits 32 bits; otherwise `undefined`,
 *    which means that the card does not count.
 */
export function declaredRanks(card: RuntimeConfig, policy: LoadPolicy): RankRange | undefined {
  const start = card.dataParallelStartRank ?? 0;
  const size = card.dataParallelSize ?? 1;
  switch (policy.rankRange) {
    case 'from-zero':
      return { start: 0, end: size };
    case 'wrapping': {
      const end = (start + size) % U32_VALUES;
      return { start, end: Math.max(start, end) };
    }
    case 'checked':
    case 'checked-and-reported':
      return size >= 1 && size <= MAX_RANKS_PER_WORKER && start + size < U32_VALUES
        ? { start, end: start + size }
        : undefined;
  }
}

/**
 * Whether a card that does not count still says that its worker has no ranks.
 *
 * 1. `from-zero`, `wrapping`: never; a card with an empty range counts.
 * 2. `checked`: never; of a card that does not count nothing is known.
 * 3. `checked-and-reported`: a card of size 0.
 */
export function declaresNoRanks(card: RuntimeConfig, policy: LoadPolicy): boolean {
  return policy.rankRange === 'checked-and-reported' && card.dataParallelSize === 0;
}

/** Whether a rank lies in a range. */
export function inRange(rank: number, range: RankRange): boolean {
  return rank >= range.start && rank < range.end;
}
