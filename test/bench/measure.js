import { cpuUsage } from 'node:process';

/**
 * How much a case does: the warm-up and each slice end with their number of events or with their milliseconds,
 * whichever comes first.
 *
 * @typedef {{ events: number, milliseconds: number }} Bound
 * @typedef {{ warmUp: Bound, slices: number, slice: Bound }} Effort
 */

/** @type {Effort} */
export const fullEffort = {
  warmUp: { events: 400_000, milliseconds: 400 },
  slices: 11,
  slice: { events: 60_000, milliseconds: 40 },
};
/** @type {Effort} */
export const quickEffort = {
  warmUp: { events: 600, milliseconds: 10 },
  slices: 2,
  slice: { events: 600, milliseconds: 10 },
};

/**
 * The nanoseconds of one event, in processor time of this process: what other processes do meanwhile does not
 * count, garbage collection does. It is the median of the slices, each long enough to hold its share of
 * collections.
 *
 * @param {Effort} effort
 * @param {{ prepare?: () => void, run: () => number }} work `prepare` comes before each `run` and is not timed; `run`
 *   returns how many events it took
 */
export function nanoseconds({ warmUp, slices, slice }, { prepare = () => undefined, run }) {
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
  return median(Array.from({ length: slices }, () => timed(slice)));
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  return sorted.length % 2 === 1 ? upper : (upper + sorted[sorted.length / 2 - 1]) / 2;
}
