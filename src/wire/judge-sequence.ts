/** What a number is after the highest one of its publisher. */
export type SequenceVerdict = 'next' | 'gap' | 'late' | 'restart';

/** How many numbers, and how many milliseconds of the publisher's clock, a message may be late. */
export const LATE_NUMBERS = 1024;
export const LATE_MS = 1000;

/**
 * Judges a running number.
 *
 * 1. One above the last is the next, more is a gap.
 * 2. What is not above the last began again when it is 0 and the last was not, when it was published more than a
 *    second after the last, or when it is more than 1 024 below it.
 * 3. All else is late: reordered (publishers that publish from several tasks do that), or twice.
 */
export function judgeSequence(
  last: number,
  lastPublishedAt: number,
  sequence: number,
  publishedAt: number,
): SequenceVerdict {
  if (sequence === last + 1) return 'next';
  if (sequence > last) return 'gap';
  const again =
    (sequence === 0 && last > 0) || publishedAt > lastPublishedAt + LATE_MS || sequence < last - LATE_NUMBERS;
  return again ? 'restart' : 'late';
}
