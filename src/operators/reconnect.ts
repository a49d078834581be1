import { defer, EMPTY, finalize, merge, Subject, type Observable, type SchedulerLike } from 'rxjs';
import { errorText } from './error-text.js';
import { retryWithBackoff } from './retry-with-backoff.js';

/** A session that ended, and when the next one is tried. */
export class SessionFailure {
  constructor(
    readonly why: string,
    readonly retryInMs: number,
  ) {}
}

/** Whom to connect to, how long to wait at most, and what to take time and chance from. */
export interface ReconnectOptions<Host> {
  /** Tried in turn. */
  readonly hosts: readonly Host[];
  readonly maxRetryMs: number;
  readonly scheduler: SchedulerLike;
  /** A random number from 0 to below 1. */
  readonly random: () => number;
}

const FIRST_RETRY_MS = 50;
const HEALTHY_MS = 1_000;

/**
 * One session after another: what they say, and a {@link SessionFailure} for each one that errors.
 *
 * A session that errors is followed by another one, with the next host in turn: after 25 to 50 ms, then up to twice
 * as long after each further failure, never more than `longestRetryMs`. A session that lived for a second after its first word
 * begins anew. A session that completes ends it.
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
          onRetry: ({ error, delayMs }) => failures$.next(new SessionFailure(errorText(error), delayMs)),
        },
        scheduler,
      ),
      finalize(() => failures$.complete()),
    );
    return merge(failures$, sessions$);
  });
}
