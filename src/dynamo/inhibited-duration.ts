import { TidemarkError } from '../core/errors.js';

/** The default time for which a worker that was reported down is unavailable, in milliseconds. */
export const DEFAULT_INHIBITED_MS = 5000;

/** Node fires timers with a longer delay immediately. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A duration that is negative, not a number, or too long for a timer. */
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
 * Validates a duration, and returns it.
 *
 * @throws InhibitedDurationError for a negative number, for NaN, and for more than 2^31 − 1, the maximum of a timer.
 */
export function validateInhibitedMs(durationMs: number): number {
  if (!(durationMs >= 0 && durationMs <= MAX_TIMER_MS)) throw new InhibitedDurationError(durationMs);
  return durationMs;
}

/**
 * Converts the value of `DYN_RUNTIME_INHIBITED_DURATION_SECS` to milliseconds.
 *
 * 1. The value is a whole number of seconds; `0` turns off down reports and the periodic reconcile.
 * 2. If it is absent, the duration is 5 s.
 * 3. If it is invalid, the duration is 5 s, and `warn` is called with a sentence that says so.
 *
 * @example
 * ```ts
 * import { inhibitedDurationMs } from 'tidemark/dynamo';
 *
 * console.log(inhibitedDurationMs(undefined), inhibitedDurationMs('17'));
 * // Logs: 5000 17000
 * inhibitedDurationMs('soon', (text) => console.log(text));
 * // Logs: DYN_RUNTIME_INHIBITED_DURATION_SECS is not a valid number of seconds: "soon"; using 5
 * ```
 *
 * @see {@link instanceClient}
 */
export function inhibitedDurationMs(text: string | undefined, warn?: (text: string) => void): number {
  if (text === undefined) return DEFAULT_INHIBITED_MS;
  const seconds = /^\+?\d+$/.test(text) ? Number(text) : NaN;
  if (seconds * 1000 <= MAX_TIMER_MS) return seconds * 1000;
  warn?.(
    `DYN_RUNTIME_INHIBITED_DURATION_SECS is not a valid number of seconds: ${JSON.stringify(text)}; ` +
      `using ${DEFAULT_INHIBITED_MS / 1000}`,
  );
  return DEFAULT_INHIBITED_MS;
}
