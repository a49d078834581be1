import { describe, expect, it } from 'vitest';
import {
  noRanks,
  ranksToCleanUp,
  ranksOutside,
  rememberDeclared,
  rememberedRanks,
  rememberReported,
} from '../../../src/core/state/rank-memory.js';

describe('rank memory', () => {
  it('lists declared and reported ranks once, ascending', () => {
    const memory = rememberReported(rememberDeclared(noRanks, { start: 2, end: 4 }), 0);
    expect(rememberedRanks(rememberReported(memory, 3))).toEqual([0, 2, 3]);
  });

  it('a declared range is not expanded - 2^32 ranks are bounded, reported ones always included', () => {
    const memory = rememberReported(rememberDeclared(noRanks, { start: 0, end: 2 ** 32 - 1 }), 4_000_000_000);
    const ranks = rememberedRanks(memory);
    expect(ranks.length).toBe(4097);
    expect(ranks.at(-1)).toBe(4_000_000_000);
  });

  it('ranges inside others, and empty ones, are not stored', () => {
    const wide = rememberDeclared(noRanks, { start: 0, end: 8 });
    expect(rememberDeclared(wide, { start: 2, end: 3 })).toBe(wide);
    expect(rememberDeclared(wide, { start: 5, end: 5 })).toBe(wide);
    expect(
      rememberDeclared(rememberDeclared(noRanks, { start: 2, end: 3 }), { start: 0, end: 8 }).declared,
    ).toHaveLength(1);
  });

  it('a worker that leaves - no ranks are known ranks, unknown ranks are rank 0', () => {
    expect(ranksToCleanUp(rememberDeclared(noRanks, { start: 5, end: 5 }))).toEqual([]);
    expect(ranksToCleanUp(undefined)).toEqual([0]);
    expect(ranksToCleanUp(rememberReported(noRanks, 3))).toEqual([3]);
  });

  it('ranks outside a range', () => {
    const memory = rememberReported(rememberDeclared(noRanks, { start: 0, end: 3 }), 9);
    expect(ranksOutside(memory, { start: 1, end: 3 })).toEqual([0, 9]);
  });
});
