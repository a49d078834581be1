/** From this number of words on, an array grows by an eighth, since half of a doubled one would be unused. */
const LARGE = 100_000;

/** A copy in a longer array of at least `min` words: twice as long, or an eighth longer once it is large. */
export function growWords(words: Int32Array, min: number): Int32Array {
  const growth = words.length < LARGE ? 2 : 1.125;
  const longer = new Int32Array(Math.max(Math.ceil(words.length * growth), min));
  longer.set(words);
  return longer;
}
