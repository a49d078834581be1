import type { MarbleStream } from './marble.js';
import type { MarbleEmission } from './marble-result.js';
import { canonicalText } from './value-text.js';

/** An emission with the character that draws it. */
export interface NamedEmission extends MarbleEmission {
  readonly letter: string;
}

/**
 * Gives emissions their letters: equal values have the letter of the expected row, the one in the same column
 * first; other values have new letters, taken from `fresh` in order. `?` when those run out.
 */
export function nameEmissions(
  stream: MarbleStream,
  emissions: readonly MarbleEmission[],
  tickMs: number,
  fresh: string,
): NamedEmission[] {
  const free = [...new Set(fresh)].filter((letter) => !stream.bindings.has(letter));
  const added = new Map<string, string>();
  const texts = new Map(
    [...stream.bindings.values()].map(({ letter, value }) => [letter, canonicalText(value)]),
  );
  const known = (emission: MarbleEmission): string | undefined => {
    const here = stream.marks
      .filter(({ column }) => column * tickMs === emission.at)
      .map(({ letter }) => letter);
    return [...here, ...texts.keys()].find(
      (letter) => letter !== '#' && texts.get(letter) === emission.canonical,
    );
  };
  return emissions.map((emission) => {
    if (emission.kind !== 'next') return { ...emission, letter: emission.kind === 'error' ? '#' : '|' };
    const letter = known(emission) ?? added.get(emission.canonical) ?? free.shift() ?? '?';
    if (!texts.has(letter)) added.set(emission.canonical, letter);
    return { ...emission, letter };
  });
}
