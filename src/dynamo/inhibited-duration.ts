import { TidemarkError } from '../core/errors.js';

/** How long a worker that was reported down stays out, in milliseconds, when nobody says otherwise. */
export const DEFAULT_INHIBITED_MS = 5000;

/** A timer set for longer goes off at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A duration that cannot be waited for. */
export class InhibitedDurationError extends TidemarkError {
  override readonly name = 'InhibitedDurationError';

  constructor(readonly given: number) {
    super(
      'inhibited-duration',
      `inhibitedDurationMs must be 0, which turns it off, or up to ${MAX_TIMER_MS} milliseconds, not ${given}.`,
    );
  }
}

/**
 * The same duration, when it can be waited for.
 *
 * @throws InhibitedDurationError for a negative number, for NaN, and for more than a timer can wait, 2^31 − 1.
 */
export function validateInhibitedMs(durationMs: number): number {
  if (!(durationMs >= 0 && durationMs <= MAX_TIMER_MS)) throw new InhibitedDurationError(durationMs);
  return durationMs;
}

/**
 * Reads the value of `DYN_RUNTIME_INHIBITED_DURATION_SECS`, in milliseconds.
 *
 * 1. A whole number of seconds is taken; `0` turns down-reports and the periodic reconcile off.
 * 2. Absent, it is 5 s.
 * 3. Anything else is 5 s too, and `warn` is given a sentence that says so.
 *
 * @example
 * ```ts
 * import { inhibitedDurationMs } from 'tidemark/dynamo';
 *
 * console.log(inhibitedDurationMs(undefined), inhibitedDurationMs('17'));
 * // Logs: 5000 17000
 * inhibitedDurationMs('soon', (text) => console.log(text));
 * // Logs: DYN_RUNTIME_INHIBITED_DURATION_SECS is no number of seconds that can be waited: "soon"; 5 are taken
 * ```
 *
 * @see {@link instanceClient}
 */
export function inhibitedDurationMs(text: string | undefined, warn?: (text: string) => void): number {
  if (text === undefined) return DEFAULT_INHIBITED_MS;
  const seconds = /^\+?\d+$/.test(text) ? Number(text) : NaN;
  if (seconds * 1000 <= MAX_TIMER_MS) return seconds * 1000;
  warn?.(
    `DYN_RUNTIME_INHIBITED_DURATION_SECS is no number of seconds that can be waited: ${JSON.stringify(text)}; ` +
      `${DEFAULT_INHIBITED_MS / 1000} are taken`,
  );
  return DEFAULT_INHIBITED_MS;
}
