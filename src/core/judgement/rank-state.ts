import type { Count } from '../count.js';
import type { RuntimeConfig } from '../events/fleet-event.js';
import type { LoadPolicy } from '../policy/load-policy.js';

/** Consecutive data-parallel ranks, `start` included, `end` excluded. Empty when both are equal. */
export interface RankRange {
  readonly start: number;
  readonly end: number;
}

const U32_VALUES = 2 ** 32;
export const MAX_RANKS_PER_WORKER = 4096;

/**
 * The ranks that a card declares, by the `rankRange` cell of a policy.
 *
 * 1. `from-zero`: ranks 0 to size; a start rank is ignored.
 * 2. `wrapping`: start + size modulo 2^32; a range that wraps is empty.
 * 3. `checked`, `checked-and-reported`: size 1 to 4096 and an end that fits 32 bits; otherwise `undefined`,
 *    which means that the card does not count.
 */
export function declaredRanks(config: RuntimeConfig, policy: LoadPolicy): RankRange | undefined {
  const start = config.dataParallelStartRank ?? 0;
  const size = config.dataParallelSize ?? 1;
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

/** Whether a rank lies in a range. */
export function inRange(rank: number, range: RankRange): boolean {
  return rank >= range.start && rank < range.end;
}

/**
 * The decode latch of one rank (Dynamo 1.1 and later): it closes when either block signal exceeds the mark and
 * opens when both have come back, so that two publishers of different signals do not make a worker flap.
 *
 * A signal that was never reported counts as come back.
 */
export interface DecodeLatch {
  readonly latched: boolean;
  readonly activeCleared: boolean;
  readonly usedCleared: boolean;
}

/** The latch of a rank that nothing has closed. */
export const openLatch: DecodeLatch = { latched: false, activeCleared: true, usedCleared: true };

/**
 * The latch after one report.
 *
 * 1. A given signal above the mark closes it.
 * 2. A given signal sets whether that signal has come back; one that is not given leaves it.
 * 3. Closed and both come back: it opens.
 *
 * @param isAbove whether a value is above the decode mark
 */
export function updateLatch(
  latch: DecodeLatch,
  active: Count | null,
  used: Count | null,
  isAbove: (value: Count) => boolean,
): DecodeLatch {
  const activeAbove = active !== null && isAbove(active);
  const usedAbove = used !== null && isAbove(used);
  const activeCleared = active === null ? latch.activeCleared : !activeAbove;
  const usedCleared = used === null ? latch.usedCleared : !usedAbove;
  const latched = (latch.latched || activeAbove || usedAbove) && !(activeCleared && usedCleared);
  return { latched, activeCleared, usedCleared };
}

/** What is known of one rank: the last reported values and the capacities of the worker's card. `null`: not known. */
export interface RankState {
  readonly activeDecodeBlocks: Count | null;
  readonly activePrefillTokens: Count | null;
  readonly kvUsedBlocks: Count | null;
  readonly totalKvBlocks: Count | null;
  readonly maxNumBatchedTokens: Count | null;
  readonly latch: DecodeLatch | null;
}

/** The ranks of one worker: those it declared, if its card is known, and those that something is known of. */
export interface RankStates {
  readonly declared: RankRange | null;
  readonly ranks: ReadonlyMap<number, RankState>;
}
