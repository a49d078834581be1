import { defer, EMPTY, finalize, merge, Subject, type Observable, type SchedulerLike } from 'rxjs';
import { retryWithBackoff } from '../../operators/retry-with-backoff.js';
import type { EtcdHost } from './etcd-host.js';

/** A session that ended, and when the next one is tried. */
export class Failure {
  constructor(
    readonly why: string,
    readonly retryInMs: number,
  ) {}
}

/** Whom to connect to, and what to take time and chance from. */
export interface Reconnecting {
  readonly hosts: readonly EtcdHost[];
  readonly scheduler: SchedulerLike;
  /** A random number from 0 to below 1. */
  readonly random: () => number;
}

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 2_000;
const HEALTHY_MS = 1_000;

/**
 * One session after another: what they say, and a {@link Failure} for each one that errors.
 *
 * A session that errors is followed by another one, with the next host in turn: after 25 to 50 ms, then up to twice
 * as long after each further failure, never more than 2 s. A session that lived for a second after its first word
 * begins anew. A session that completes ends it.
 */
export function reconnecting<T>(
  session: (host: EtcdHost) => Observable<T>,
  { hosts, scheduler, random }: Reconnecting,
): Observable<T | Failure> {
  return defer(() => {
    const failures$ = new Subject<Failure>();
    let tries = 0;
    const sessions$ = defer(() => {
      const host = hosts[tries % hosts.length];
      tries += 1;
      return host === undefined ? EMPTY : session(host);
    }).pipe(
      retryWithBackoff(
        {
          initialMs: FIRST_RETRY_MS,
          maxMs: LONGEST_RETRY_MS,
          healthyMs: HEALTHY_MS,
          jitter: () => (1 + random()) / 2,
          onRetry: ({ error, delayMs }) =>
            failures$.next(new Failure(error instanceof Error ? error.message : String(error), delayMs)),
        },
        scheduler,
      ),
      finalize(() => failures$.complete()),
    );
    return merge(failures$, sessions$);
  });
}
