import { lowest } from './measure.js';

/** The cases of a ratio that misses its limit are measured again, up to this round: a slow moment ends. */
const MAX_ROUNDS = 15;

const SMALL = 0;
const LARGE = 1;

/**
 * What the gate compares: how many times the one case costs what the other costs. Each is a kind of case and a size.
 *
 * A limit is 1.3 to 1.5 times the ratio that was measured, so about half the way to a doubled cost. In 20 runs on 2
 * cores with Node 20, with three other busy processes and more, the highest ratio of each was at most 1.17 times its
 * median. Node 22 and 24 differ from Node 20 by up to 20 %. The textbook chain contains no code of the project, so the
 * ratios to it find a cost that doubled on both sides of the other ratios.
 *
 * @typedef {{ name: string, above: readonly [string, number], below: readonly [string, number], limit: number }} GateRatio
 * @type {readonly GateRatio[]}
 */
export const gateRatios = [
  ratio(
    'the pipeline of a small fleet to the textbook chain',
    ['pipeline', SMALL],
    ['textbook', SMALL],
    0.14,
  ),
  ratio('growth of the pipeline from 10 to 1 000 workers', ['pipeline', LARGE], ['pipeline', SMALL], 1.5),
  ratio('the pipeline to a plain loop', ['pipeline', LARGE], ['loop', LARGE], 1.75),
  ratio('rows through the monitor to the state alone', ['monitor', LARGE], ['reduce', LARGE], 1.5),
  ratio('decoding to the textbook chain', ['decode', LARGE], ['textbook', SMALL], 0.06),
  ratio('the state to the textbook chain', ['reduce', LARGE], ['textbook', SMALL], 0.045),
  ratio('a load of a busy worker to the textbook chain', ['flip-none', LARGE], ['textbook', SMALL], 0.037),
  // A transition has both states, and the counts have three: 11 on a loaded machine.
  ratio('flip to no flip', ['flip', LARGE], ['flip-none', LARGE], 13.5),
  ratio('objects to columns, decoding', ['decode-objects', LARGE], ['decode', LARGE], 2.7),
  ratio('objects to columns, the state', ['reduce-objects', LARGE], ['reduce', LARGE], 3.6),
  ratio('objects to columns, the pipeline', ['pipeline-objects', LARGE], ['pipeline', LARGE], 2.5),
];

/**
 * The names of the cases that the gate needs.
 *
 * @param {readonly number[]} sizes
 * @returns {ReadonlySet<string>}
 */
export function gateCaseNames(sizes) {
  return new Set(gateRatios.flatMap((one) => caseNamesOf(one, sizes)));
}

/**
 * Whether each ratio is within its limit. A ratio compares the best of all rounds.
 *
 * @param {ReadonlyMap<string, readonly number[]>} values
 * @param {readonly number[]} sizes
 * @returns {import('./goals.js').Goal[]}
 */
export function gateGoalsOf(values, sizes) {
  return gateRatios.map((one) => {
    const [above = [], below = []] = caseNamesOf(one, sizes).map((name) => values.get(name) ?? []);
    const value = above.length === 0 || below.length === 0 ? null : lowest(above) / lowest(below);
    const { name: text, limit } = one;
    return {
      goal: null,
      text,
      value,
      limit,
      unit: 'x',
      gated: true,
      holds: value === null ? null : value <= limit,
    };
  });
}

/**
 * The names of the cases that the next round measures: all in the first rounds, then those of the missed ratios.
 *
 * @param {number} round from 1
 * @param {ReadonlyMap<string, readonly number[]>} values
 * @param {{ sizes: readonly number[], processes: number, quick: boolean }} how
 * @returns {ReadonlySet<string>}
 */
export function gateRound(round, values, { sizes, processes, quick }) {
  if (round <= processes) return gateCaseNames(sizes);
  if (quick || round > MAX_ROUNDS) return new Set();
  const goals = gateGoalsOf(values, sizes);
  return new Set(
    gateRatios.flatMap((one, index) => (goals[index]?.holds === false ? caseNamesOf(one, sizes) : [])),
  );
}

/**
 * @param {GateRatio} ratio
 * @param {readonly number[]} sizes
 */
function caseNamesOf({ above, below }, sizes) {
  return [above, below].map(([kind, size]) => `${kind}/${sizes[size]}x8`);
}

/**
 * @param {string} name
 * @param {GateRatio['above']} above
 * @param {GateRatio['below']} below
 * @param {number} limit
 * @returns {GateRatio}
 */
function ratio(name, above, below, limit) {
  return { name, above, below, limit };
}
