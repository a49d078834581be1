/** A source of numbers in [0, 1) that gives the same numbers for the same seed, on every platform. */
export type Random = () => number;

/** Mulberry32: 32 bits of state are plenty for a demo, and reproducible everywhere. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
