import type { TimestampProvider } from 'rxjs';

/** The wall clock is read in whole milliseconds, so the offset of a clock is only known this well. */
const PRECISION_MS = 100;

/**
 * What to add to a time of a clock to get the wall-clock time of the same moment, in milliseconds. Add it at the moment
 * of output, because the wall clock may have been set since.
 *
 * It is a multiple of 100 ms, so that the date of one moment is the same in every output until the wall clock is set, and
 * so it is up to 50 ms off. While the wall clock drifts past the middle between two multiples, the date of a moment can
 * differ by 100 ms between outputs.
 */
export function wallOffset(clock: TimestampProvider): number {
  return Math.round((Date.now() - clock.now()) / PRECISION_MS) * PRECISION_MS;
}

/** The wall-clock time of a time `at` of a clock, as a date. */
export function wallTime(clock: TimestampProvider, at: number): Date {
  return new Date(at + wallOffset(clock));
}
