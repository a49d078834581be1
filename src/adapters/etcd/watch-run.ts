import { defer, EMPTY, map, merge, of, Subject, switchMap, type Observable, type SchedulerLike } from 'rxjs';
import type { SourceStatus } from '../../core/source-status.js';
import { retryWithBackoff } from '../../operators/retry-with-backoff.js';
import type { EtcdHost } from './etcd-host.js';
import type { EtcdLink } from './etcd-link.js';
import { KeyHistory } from './key-history.js';
import type { PrefixBatch } from './prefix-batch.js';
import { watchSession } from './watch-session.js';

/** What a run is made of. */
export interface WatchRun {
  readonly hosts: readonly EtcdHost[];
  readonly open: (host: EtcdHost) => Observable<EtcdLink>;
  readonly prefixes: readonly string[];
  /** The name in the status. */
  readonly source: string;
  readonly scheduler: SchedulerLike;
  /** A random number from 0 to below 1. */
  readonly random: () => number;
}

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 2_000;
const HEALTHY_MS = 1_000;

/**
 * One session after another, for as long as somebody listens. Never errors and never completes.
 *
 * 1. A session that ends is followed by another one, with the next host in turn: after 25 to 50 ms, then up to
 *    twice as long after each further failure, never more than 2 s. A session that lived for a second begins anew.
 * 2. The status is `connecting` until the first session is live, `live` while one is, and otherwise `down` since
 *    the first failure, with the latest reason.
 */
export function watchRun(run: WatchRun): Observable<PrefixBatch | SourceStatus> {
  const { hosts, open, prefixes, source, scheduler, random } = run;
  return defer(() => {
    const histories = prefixes.map((prefix) => new KeyHistory(prefix));
    const failures$ = new Subject<SourceStatus>();
    let status: SourceStatus = { source, state: 'connecting', since: scheduler.now() };
    let tries = 0;
    const sessions$ = defer(() => {
      const host = hosts[tries % hosts.length];
      tries += 1;
      return host === undefined ? EMPTY : open(host);
    }).pipe(
      switchMap((link) => watchSession(link, histories, scheduler)),
      map((item) => (item === 'live' ? (status = { source, state: 'live', since: scheduler.now() }) : item)),
      retryWithBackoff(
        {
          initialMs: FIRST_RETRY_MS,
          maxMs: LONGEST_RETRY_MS,
          healthyMs: HEALTHY_MS,
          jitter: () => (1 + random()) / 2,
          onRetry: ({ error, delayMs }) => {
            const since = status.state === 'down' ? status.since : scheduler.now();
            const why = error instanceof Error ? error.message : String(error);
            failures$.next((status = { source, state: 'down', since, why, retryInMs: delayMs }));
          },
        },
        scheduler,
      ),
    );
    return merge(of(status), failures$, sessions$);
  });
}
