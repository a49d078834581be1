import { cpuUsage } from 'node:process';

/**
 * How much a case does: the warm-up and each slice end with their number of events or with their milliseconds,
 * whichever comes first; `summary` makes one value of the slices.
 *
 * @typedef {{ events: number, milliseconds: number }} Bound
 * @typedef {{ warmUp: Bound, slices: number, slice: Bound, summary: (values: readonly number[]) => number }} Effort
 */

/** @type {Effort} */
export const fullEffort = {
  warmUp: { events: 400_000, milliseconds: 400 },
  slices: 11,
  slice: { events: 60_000, milliseconds: 40 },
  summary: median,
};
/** @type {Effort} */
export const quickEffort = {
  warmUp: { events: 600, milliseconds: 10 },
  slices: 2,
  slice: { events: 600, milliseconds: 10 },
  summary: median,
};
/**
 * The effort of the gate: many short slices, of which the best counts. Other processes and the host slow a slice down
 * and never speed it up, so the best ones of two cases compare even on a loaded machine.
 *
 * @type {Effort}
 */
export const gateEffort = {
  warmUp: { events: 400_000, milliseconds: 100 },
  slices: 12,
  slice: { events: 60_000, milliseconds: 4 },
  summary: lowest,
};

/**
 * The nanoseconds of one event, in processor time of this process: other processes do not
 * count, garbage collection does.
 *
 * @param {Effort} effort
 * @param {{ prepare?: () => void, run: () => number }} work `prepare` comes before each `run` and is not timed; `run`
 *   returns how many events it took
 */
export function nanoseconds({ warmUp, slices, slice, summary }, { prepare = () => undefined, run }) {
  const timed = (/** @type {Bound} */ { events, milliseconds }) => {
    let time = 0;
    let done = 0;
    while (done < events && time < milliseconds * 1e3) {
      prepare();
      const begin = cpuUsage();
      done += run();
      const { user, system } = cpuUsage(begin);
      time += user + system;
    }
    return (time * 1e3) / done;
  };
  timed(warmUp);
  return summary(Array.from({ length: slices }, () => timed(slice)));
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  return sorted.length % 2 === 1 ? upper : (upper + sorted[sorted.length / 2 - 1]) / 2;
}

/** @param {readonly number[]} values */
export function lowest(values) {
  return Math.min(...values);
}
