import type { Count } from '../count.js';
import type { RankState } from '../rank-state.js';
import type { LimitClasses } from './limit-classes.js';
import { ACTIVE, FLAGS, TOKENS, USED, type CellsCopy } from './rank-cells.js';
import { ACTIVE_CLEARED, HAS_LATCH, LATCHED, limitsIn, USED_CLEARED } from './rank-flags.js';

/** What is known of the rank whose cell begins at a word of a copy. */
export function rankStateAt(cells: CellsCopy, classes: LimitClasses, word: number): RankState {
  const flags = cells.words[word + FLAGS] ?? 0;
  const limits = limitsIn(flags);
  return {
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
  };
}

/** The value in a word of a copy: a count, or `null`. */
export function copiedValue({ words, wide }: CellsCopy, word: number): Count | null {
  const value = words[word] ?? 0;
  return value >= 0 ? value : (wide?.get(word) ?? null);
}
