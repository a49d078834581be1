import { median } from './measure.js';

/**
 * One line of the verdict. `goal` is `null` for a ratio of the gate, `value` when a case it needs was not run.
 *
 * @typedef {{
 *   goal: number | null, text: string, value: number | null, limit: number | null, unit: 'x' | 'ns' | 'B' | 'ms' | 'loads',
 *   gated: boolean, holds: boolean | null,
 * }} Goal
 */

/**
 * The goals 1, 2, 4 and 6, from the values of every round. A ratio is the median of the ratios of the rounds, in
 * which both cases ran soon after each other.
 *
 * @param {ReadonlyMap<string, readonly number[]>} values
 * @param {readonly number[]} sizes
 * @returns {Goal[]}
 */
export function goalsOf(values, sizes) {
  const [small = 0, middle = 0, large = 0] = sizes;
  const of = (/** @type {string} */ kind, /** @type {number} */ workers, dp = 8) =>
    values.get(`${kind}/${workers}x${dp}`) ?? [];
  const growth = (/** @type {string} */ kind, dp = 8) => ratio(of(kind, large, dp), of(kind, small, dp));
  return [
    ...sizes.flatMap((workers) =>
      [1, 8].flatMap((dp) => [
        gate(
          1,
          `pipeline to plain loop, ${workers} x ${dp}`,
          ratio(of('pipeline', workers, dp), of('loop', workers, dp)),
          1.3,
        ),
        gate(
          1,
          `pipeline to plain loop, chunk, ${workers} x ${dp}`,
          ratio(of('pipeline-chunk', workers, dp), of('loop-chunk', workers, dp)),
          1.3,
        ),
      ]),
    ),
    absolute(1, `pipeline, ${middle} x 8`, of('pipeline', middle), 200),
    absolute(1, `pipeline, ${large} x 8`, of('pipeline', large), 400),
    absolute(1, `pipeline, chunk, ${middle} x 8`, of('pipeline-chunk', middle), 150),
    absolute(1, `pipeline, chunk, ${large} x 8`, of('pipeline-chunk', large), 300),
    ...[1, 8].flatMap((dp) =>
      ['pipeline', 'pipeline-chunk'].map((kind) =>
        gate(
          2,
          `growth of ${kind} from ${small} to ${large} workers x ${dp}; the walk's is the limit`,
          growth(kind, dp),
          growth('walk', dp),
        ),
      ),
    ),
    gate(4, `flip, ${large} busy to ${small} busy`, growth('flip'), 1.3),
    gate(
      4,
      `flip of one worker, old versions retained, ${large} busy to ${small} busy`,
      growth('flip-one'),
      1.3,
    ),
    ...sizes.map((workers) =>
      absolute(
        4,
        `flip above an event that does not flip, ${workers} busy`,
        differences(of('flip', workers), of('flip-none', workers)),
        150,
      ),
    ),
    gate(
      4,
      `growth of flip of any worker from ${small} to ${large}; the walk's is the limit`,
      growth('flip-any'),
      growth('walk'),
    ),
    {
      ...absolute(6, `memory for each of ${large} workers x 8`, of('memory', large), 450),
      unit: 'B',
      gated: true,
    },
  ];
}

/**
 * The goals 3 and 5, which need a NATS server. Events per second and core are processor time here.
 *
 * @param {ReadonlyMap<string, readonly number[]>} values
 * @param {readonly number[]} sizes
 * @returns {Goal[]}
 */
export function natsGoalsOf(values, [, workers = 0]) {
  const of = (/** @type {string} */ kind) => values.get(`nats-${kind}/${workers}x8`) ?? [];
  return [
    ...['columns', 'objects'].map((form) =>
      absolute(3, `through NATS, ${form}, ${workers} x 8`, of(form), 1_000),
    ),
    gate(
      3,
      `through NATS, columns, to a subscriber that does nothing`,
      ratio(of('columns'), of('nothing')),
      1 / 0.7,
    ),
    absolute(5, `publish to busy$, 10 000 a second, ${workers} x 8`, of('latency'), 30_000),
  ];
}

/**
 * Goal 7, and that no load is lost during it.
 *
 * @param {ReadonlyMap<string, readonly number[]>} values
 * @param {readonly number[]} sizes
 * @returns {Goal[]}
 */
export function scrapeGoalsOf(values, [workers = 0]) {
  const of = (/** @type {string} */ kind) => values.get(`${kind}/${workers}x8`) ?? [];
  const lost = of('scrape-lost');
  const block = `longest block of the event loop while pages of ${workers * 8 * 5} series are made`;
  return [
    { ...absolute(7, block, of('scrape-block'), 10), unit: 'ms' },
    {
      ...gate(7, 'loads lost at 50 000 a second', lost.length === 0 ? null : Math.max(...lost), 0),
      unit: 'loads',
    },
  ];
}

/**
 * @param {number} goal
 * @param {string} text
 * @param {number | null} value
 * @param {number | null} limit
 * @returns {Goal}
 */
function gate(goal, text, value, limit) {
  const holds = value === null || limit === null ? null : value <= limit;
  return { goal, text, value, limit, unit: 'x', gated: true, holds };
}

/**
 * @param {number} goal
 * @param {string} text
 * @param {readonly number[]} found
 * @param {number} limit
 * @returns {Goal}
 */
function absolute(goal, text, found, limit) {
  const value = found.length === 0 ? null : median(found);
  return {
    goal,
    text,
    value,
    limit,
    unit: 'ns',
    gated: false,
    holds: value === null ? null : value <= limit,
  };
}

/**
 * @param {readonly number[]} above
 * @param {readonly number[]} below
 */
function ratio(above, below) {
  const ratios = above.slice(0, below.length).map((value, round) => value / (below[round] ?? 1));
  return ratios.length === 0 ? null : median(ratios);
}

/**
 * @param {readonly number[]} above
 * @param {readonly number[]} below
 */
function differences(above, below) {
  return above.slice(0, below.length).map((value, round) => value - (below[round] ?? 0));
}
