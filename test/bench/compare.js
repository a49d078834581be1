import { lowest, median } from './measure.js';

/**
 * A case that both sides have, by its name in the working tree and its name in the other revision.
 *
 * @typedef {{ here: string, there: string, unit: string }} Pair
 * @typedef {{ here: number[], there: number[] }} PairValues
 */

/**
 * The cases that both sides have.
 *
 * @param {readonly { name: string, kind: string, unit: string }[]} cases those of the working tree
 * @param {readonly string[]} names those of the other revision
 * @param {ReadonlyMap<string, string>} renamed for a kind in the working tree, its name in the other revision
 * @returns {{ pairs: Pair[], onlyHere: string[] }}
 */
export function pairsOf(cases, names, renamed) {
  const known = new Set(names);
  const all = cases.map(({ name, kind, unit }) => {
    const there = `${renamed.get(kind) ?? kind}${name.slice(kind.length)}`;
    return { here: name, there, unit };
  });
  return {
    pairs: all.filter(({ there }) => known.has(there)),
    onlyHere: all.filter(({ there }) => !known.has(there)).map(({ here }) => here),
  };
}

/**
 * The comparison of one case.
 *
 * @param {Pair} pair
 * @param {PairValues} values
 */
export function comparisonOf({ here: name, unit }, values) {
  const [here, there] = [sideOf(values.here), sideOf(values.there)];
  return { case: name, unit, ratio: there.best === 0 ? null : here.best / there.best, here, there };
}

/** @typedef {ReturnType<typeof comparisonOf>} Comparison */

/**
 * The best value, by how much of it the highest is above it, and the median.
 *
 * @param {readonly number[]} values
 */
function sideOf(values) {
  const best = lowest(values);
  return { best, spread: best === 0 ? null : Math.max(...values) / best - 1, median: median(values), values };
}

/**
 * @param {readonly Comparison[]} comparisons
 * @param {{ revision: string, rounds: number, quick: boolean }} how
 */
export function comparisonTable(comparisons, { revision, rounds, quick }) {
  const columns = ['ratio', 'best here', 'there', 'spread here', 'there', 'median here', 'there'];
  return [
    `The working tree ("here") against ${revision} ("there"): ${rounds} processes of each, in alternation.`,
    'ratio: best here to best there, below 1 where the working tree is faster; spread: from the best to the highest.',
    ...(quick ? ['QUICK: few events on small fleets; no figure below says anything about speed'] : []),
    '',
    row('case', columns),
    ...comparisons.map(({ case: name, unit, ratio, here, there }) =>
      row(`${name} [${unit}]`, [
        ratio === null ? '-' : ratio.toFixed(2),
        here.best.toFixed(1),
        there.best.toFixed(1),
        percent(here.spread),
        percent(there.spread),
        here.median.toFixed(1),
        there.median.toFixed(1),
      ]),
    ),
    '',
  ].join('\n');
}

/**
 * @param {string} name
 * @param {readonly string[]} cells
 */
function row(name, cells) {
  return `${name.padEnd(32)}${cells.map((cell) => cell.padStart(13)).join('')}`;
}

/** @param {number | null} share */
function percent(share) {
  return share === null ? '-' : `+${(share * 100).toFixed(0)} %`;
}
