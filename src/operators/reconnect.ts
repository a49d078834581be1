import { defer, EMPTY, finalize, merge, Subject, type Observable, type SchedulerLike } from 'rxjs';
import { errorText } from './error-text.js';
import { retryWithBackoff } from './retry-with-backoff.js';

/** Why a session failed, and the wait before the next one in milliseconds. */
export class SessionFailure {
  constructor(
    readonly why: string,
    readonly retryInMs: number,
    readonly error: unknown,
  ) {}
}

/** Where to connect to, the longest wait, and the sources of time and randomness. */
export interface ReconnectOptions<Host> {
  /** The hosts, which are tried in turn. */
  readonly hosts: readonly Host[];
  /** The longest wait before the next session. */
  readonly maxRetryMs: number;
  readonly scheduler: SchedulerLike;
  /** Returns a random number from 0 to below 1. */
  readonly random: () => number;
}

const FIRST_RETRY_MS = 50;
const HEALTHY_MS = 1_000;

/**
 * Runs one session after another, and emits their values and a {@link SessionFailure} for each session that errors.
 *
 * 1. A session that errors is followed by a session with the next host: after 25 to 50 ms, then after up to twice as long
 *    for each further failure, never more than `maxRetryMs`.
 * 2. A session that lasted a second after its first value resets the wait.
 * 3. It completes when a session completes.
 */
export function reconnect<Host, T>(
  session: (host: Host) => Observable<T>,
  { hosts, maxRetryMs, scheduler, random }: ReconnectOptions<Host>,
): Observable<T | SessionFailure> {
  return defer(() => {
    const failures$ = new Subject<SessionFailure>();
    let tries = 0;
    const sessions$ = defer(() => {
      const host = hosts[tries % hosts.length];
      tries += 1;
      return host === undefined ? EMPTY : session(host);
    }).pipe(
      retryWithBackoff(
        {
          initialMs: FIRST_RETRY_MS,
          maxMs: maxRetryMs,
          healthyMs: HEALTHY_MS,
          jitter: () => (1 + random()) / 2,
          onRetry: ({ error, delayMs }) =>
            failures$.next(new SessionFailure(errorText(error), delayMs, error)),
        },
        scheduler,
      ),
      finalize(() => failures$.complete()),
    );
    return merge(failures$, sessions$);
  });
}
