import type { Count } from '../count.js';
import type { RuntimeConfig } from '../events/fleet-event.js';
import type { LoadPolicy } from '../policy/load-policy.js';

/** Consecutive data-parallel ranks from `start` to before `end`. It is empty when both are equal. */
export interface RankRange {
  readonly start: number;
  readonly end: number;
}

const U32_VALUES = 2 ** 32;
export const MAX_RANKS_PER_WORKER = 4096;

/**
 * The ranks that a config declares, according to the `rankRange` cell of a policy.
 *
 * 1. `from-zero`: from 0 to size; the start rank is ignored.
 * 2. `wrapping`: the end is start + size modulo 2^32; a range that wraps is empty.
 * 3. `checked`, `checked-and-reported`: the size must be from 1 to 4096, and the end must fit 32 bits. Otherwise the result
 *    is `undefined`, and the config does not count.
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

/**
 * Whether a config that does not count still says that its worker has no ranks.
 *
 * 1. `from-zero`, `wrapping`: never; a config with an empty range counts.
 * 2. `checked`: never; a config that does not count says nothing.
 * 3. `checked-and-reported`: a config of size 0.
 */
export function declaresNoRanks(config: RuntimeConfig, policy: LoadPolicy): boolean {
  return policy.rankRange === 'checked-and-reported' && config.dataParallelSize === 0;
}

/** Whether a range contains a rank. */
export function inRange(rank: number, range: RankRange): boolean {
  return rank >= range.start && rank < range.end;
}

/**
 * The decode latch of one rank (Dynamo 1.1 and later). It closes when either block signal is above the threshold, and
 * opens when neither is, so that two publishers of different signals do not make a worker flap.
 *
 * A signal that was never reported counts as cleared, that is, as not above the threshold.
 */
export interface DecodeLatch {
  readonly latched: boolean;
  readonly activeCleared: boolean;
  readonly usedCleared: boolean;
}

/** A latch that was never closed. */
export const openLatch: DecodeLatch = { latched: false, activeCleared: true, usedCleared: true };

/**
 * The latch after one load.
 *
 * 1. A value above the threshold closes it.
 * 2. Each value sets whether its signal is cleared; without a value that stays as it is.
 * 3. A closed latch opens when both signals are cleared.
 *
 * @param isAbove whether a value is above the decode threshold
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

/** What is known about one rank: its last values, and the capacities of the worker's config. `null` is unknown. */
export interface RankState {
  readonly activeDecodeBlocks: Count | null;
  readonly activePrefillTokens: Count | null;
  readonly kvUsedBlocks: Count | null;
  readonly totalKvBlocks: Count | null;
  readonly maxNumBatchedTokens: Count | null;
  readonly latch: DecodeLatch | null;
}

/** The ranks of one worker: those that its config declares (`null` without a config), and those that are known. */
export interface RankStates {
  readonly declared: RankRange | null;
  readonly ranks: ReadonlyMap<number, RankState>;
}
