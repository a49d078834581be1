/** From this many words on, an array grows by an eighth: half of a doubled one would lie idle. */
const LARGE = 100_000;

/** The words in a longer array, with room for at least `least`: twice as long, or an eighth longer once large. */
export function grown(words: Int32Array, least: number): Int32Array {
  const growth = words.length < LARGE ? 2 : 1.125;
  const longer = new Int32Array(Math.max(Math.ceil(words.length * growth), least));
  longer.set(words);
  return longer;
}
