import { filter, map, Observable, ReplaySubject, share, timer } from 'rxjs';
import type { SourceStatus } from '../../core/source-status.js';
import { monotonicScheduler } from '../clock/monotonic-scheduler.js';
import type { NatsAccess } from './nats-access.js';
import type { NatsLink } from './nats-link.js';
import { natsRun } from './nats-run.js';

/** Why there is no connection. */
export interface Disconnected extends Pick<SourceStatus, 'code'> {
  readonly why: string;
}

/** A connection that stands, or why there is none. */
export type Linked = { readonly link: NatsLink } | Disconnected;

/**
 * The connection of a run of our own, or a given one: the present one first, then each change. All share one run, which
 * begins with the first and ends `keptMs` after the last. It completes when a given connection was closed by its owner,
 * and never errors.
 *
 * @throws NatsOptionsError, when it is called, for options that cannot be followed.
 */
export function linked(access: NatsAccess, keptMs: number): Observable<Linked> {
  const { scheduler = monotonicScheduler } = access;
  let link: NatsLink | null = null;
  const statuses$ = natsRun(
    access,
    'link',
    (open) =>
      new Observable((subscriber) => {
        link = open;
        subscriber.next({ refused: [] });
        return () => (link = null);
      }),
  );
  return statuses$.pipe(
    filter(({ state }) => state !== 'connecting'),
    // The end of a connection is told before its work is torn down.
    map(({ state, why = 'there is no connection', code }): Linked =>
      state === 'live' && link !== null ? { link } : { why, ...(code && { code }) },
    ),
    share({ connector: () => new ReplaySubject(1), resetOnRefCountZero: () => timer(keptMs, scheduler) }),
  );
}
