import type { RankState, RankStates } from '../../src/core/judgement/rank-state.js';

/** The letters of the reference page: B active, U used, K total blocks; T prefill tokens, M batch limit. */
export interface Letters {
  readonly B?: number;
  readonly U?: number;
  readonly K?: number;
  readonly T?: number | bigint;
  readonly M?: number;
}

/** Rank states from the letters of the reference page, numbered from 0. */
export function ranksOf(letters: readonly Letters[], declared: RankStates['declared'] = null): RankStates {
  const ranks = letters.map(({ B, U, K, T, M }, rank): [number, RankState] => [
    rank,
    {
      activeDecodeBlocks: B ?? null,
      kvUsedBlocks: U ?? null,
      totalKvBlocks: K ?? null,
      activePrefillTokens: T ?? null,
      maxNumBatchedTokens: M ?? null,
      latch: null,
    },
  ]);
  return { declared, ranks: new Map(ranks) };
}
