import {
  asyncScheduler,
  defer,
  retry,
  tap,
  timer,
  type MonoTypeOperatorFunction,
  type SchedulerLike,
} from 'rxjs';
import { TidemarkError } from './tidemark-error.js';

/** A failure, and the retry that follows it. */
export interface Retry {
  /** The number of failures in a row, including this one. A value starts a new row. */
  readonly attempt: number;
  /** The wait before the retry, in milliseconds. */
  readonly delayMs: number;
  readonly error: unknown;
}

/** The waits before a failed source is tried again. */
export interface Backoff {
  /** The delay after the first failure, above 0. */
  readonly initialMs: number;
  /** The longest delay: at least `initialMs`, at most 2^31 − 1, the longest timer. */
  readonly maxMs: number;
  /** The ratio of each delay to the one before, at least 1; 2 when absent. */
  readonly factor?: number;
  /** Returns a random number from 0 to below 1. Delays are exact when absent. */
  readonly jitter?: () => number;
  /** How long after its first value an attempt must last, in milliseconds, to start a new row; 0 when absent. */
  readonly healthyMs?: number;
  /** The number of retries in a row after which the error is passed on, 0 or more; unlimited when absent. */
  readonly maxAttempts?: number;
  /** Called before the wait, for every failure that will be retried. */
  readonly onRetry?: (retry: Retry) => void;
}

/** An invalid backoff. `problems` lists everything that is wrong with it. */
export class BackoffError extends TidemarkError {
  override readonly name = 'BackoffError';

  constructor(readonly problems: readonly string[]) {
    super('backoff', `${problems.join('; ')}.`);
  }
}

/** A longer timer would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Subscribes again to a source that errors, after a delay that grows with every failure in a row.
 *
 * 1. The delay is `initialMs` after the first failure, `factor` times as long after each further one, and never longer
 *    than `maxMs`.
 * 2. A value ends the row: the next failure waits `initialMs` again. With `healthyMs` the value must come that long before
 *    the failure, so that a source that always fails right after its first value is not retried too often.
 * 3. With `jitter` a delay is between 0 and its full length, in whole milliseconds, so that many clients that lost one
 *    server do not reconnect at the same time. Without it, delays are exact.
 * 4. It errors with the source's error after `maxAttempts` retries in a row, and with whatever `jitter` or `onRetry`
 *    throws.
 * 5. Unsubscribing ends the wait.
 *
 * ```
 *   source  -a-#                        every time
 *           retryWithBackoff({ initialMs: 2, maxMs: 8 })
 *   result  -a----a----a----a--...      2 after each failure, since there was a value in between
 *
 *   source  #                           every time
 *   tries   x-x---x-------x-------x...  2, 4, 8, 8
 * ```
 *
 * @example
 * ```ts
 * import { defer, of, throwError } from 'rxjs';
 * import { retryWithBackoff, type Retry } from 'tidemark/operators';
 *
 * let tries = 0;
 * const server$ = defer(() => (++tries < 4 ? throwError(() => new Error('refused')) : of('connected')));
 * const onRetry = ({ attempt, delayMs }: Retry) => console.log(attempt, delayMs);
 * server$.pipe(retryWithBackoff({ initialMs: 1, maxMs: 3, onRetry })).subscribe((text) => console.log(text));
 * // Logs: 1 1
 * // Logs: 2 2
 * // Logs: 3 3
 * // Logs: connected
 * ```
 *
 * @throws BackoffError, when it is called, for numbers out of range
 */
export function retryWithBackoff<T>(
  backoff: Backoff,
  scheduler: SchedulerLike = asyncScheduler,
): MonoTypeOperatorFunction<T> {
  if (typeof (backoff as unknown) !== 'object' || (backoff as unknown) === null)
    throw new BackoffError(['the options must be an object with initialMs and maxMs']);
  const { initialMs, maxMs, factor = 2, jitter, healthyMs = 0, maxAttempts = Infinity, onRetry } = backoff;
  const problems = backoffProblems(initialMs, maxMs, factor, healthyMs, maxAttempts);
  if (problems.length > 0) throw new BackoffError(problems);
  return (source$) =>
    defer(() => {
      let attempt = 0;
      let healthySince: number | null = null;
      return source$.pipe(
        tap(() => (healthySince ??= scheduler.now())),
        retry({
          delay: (error: unknown) => {
            if (healthySince !== null && scheduler.now() - healthySince >= healthyMs) attempt = 0;
            healthySince = null;
            attempt += 1;
            if (attempt > maxAttempts) throw error;
            const fullMs = Math.min(maxMs, initialMs * factor ** (attempt - 1));
            const delayMs = jitter === undefined ? fullMs : Math.round(fullMs * jitter());
            onRetry?.({ attempt, delayMs, error });
            return timer(delayMs, scheduler);
          },
        }),
      );
    });
}

function backoffProblems(
  initialMs: number,
  maxMs: number,
  factor: number,
  healthyMs: number,
  maxAttempts: number,
): string[] {
  const problems: string[] = [];
  if (!(initialMs > 0)) problems.push(`initialMs must be above 0, not ${initialMs}`);
  if (!(maxMs >= initialMs && maxMs <= MAX_TIMER_MS))
    problems.push(`maxMs must be from initialMs to ${MAX_TIMER_MS}, not ${maxMs}`);
  if (!(factor >= 1)) problems.push(`factor must be at least 1, not ${factor}`);
  if (!(healthyMs >= 0)) problems.push(`healthyMs must be 0 or more, not ${healthyMs}`);
  if (!(maxAttempts >= 0)) problems.push(`maxAttempts must be 0 or more, not ${maxAttempts}`);
  return problems;
}
