import { catchError, defer, map, of, startWith, switchMap, type Observable } from 'rxjs';
import { packageErrorCode } from '../../core/package-error.js';
import type { SourceStatus } from '../../core/source-status.js';
import { errorText } from '../../operators/error-text.js';
import { reconnecting } from '../../operators/reconnecting.js';
import { monotonicScheduler } from '../clock/monotonic-scheduler.js';
import { givenLink } from './given-link.js';
import type { NatsAccess } from './nats-access.js';
import type { NatsLink } from './nats-link.js';
import { natsServers } from './nats-server.js';
import { openNats } from './open-nats.js';
import type { Subscribed } from './subscribe-all.js';

/** The longest wait between two tries to connect. */
const LONGEST_RETRY_MS = 1_000;

/** What is done on a connection for as long as it stands; it emits when that has begun. */
export type NatsWork = (link: NatsLink) => Observable<Subscribed>;

/**
 * Does work on one connection after another, or on a given one, and says how it is: `connecting` until the work has
 * begun once, `live` while it is done, `down` since the connection was lost, `ended` when a given connection was
 * closed, which completes it. It never errors.
 *
 * @throws NatsOptionsError, when it is called, for options that cannot be followed.
 */
export function natsRun(access: NatsAccess, source: string, work: NatsWork): Observable<SourceStatus> {
  const { scheduler = monotonicScheduler } = access;
  const states$ = access.connection === undefined ? own(access, work) : given(access.connection, work);
  return defer(() => {
    let status: SourceStatus = { source, state: 'connecting', since: scheduler.now() };
    const told = (
      state: SourceStatus['state'],
      why?: string,
      { retryInMs, error }: Partial<Down> = {},
    ): SourceStatus => {
      const code = packageErrorCode(error);
      const since = state === status.state ? status.since : scheduler.now();
      return (status = {
        source,
        state,
        since,
        ...(why && { why }),
        ...(code && { code }),
        ...(retryInMs !== undefined && { retryInMs }),
      });
    };
    return states$.pipe(
      map((item) => {
        if (item === 'ended') return told('ended', 'the connection was closed by its owner');
        return 'refused' in item ? told('live', item.refused.join(' ')) : told('down', item.why, item);
      }),
      startWith(status),
    );
  });
}

interface Down {
  readonly why: string;
  readonly retryInMs?: number;
  readonly error?: unknown;
}

type Item = Subscribed | Down | 'ended';

const lost: Down = { why: 'the connection was lost, and its owner reconnects it' };

function own(access: Extract<NatsAccess, { connection?: undefined }>, work: NatsWork): Observable<Item> {
  const { scheduler = monotonicScheduler } = access;
  return reconnecting((server) => openNats(server, access).pipe(switchMap(work)), {
    hosts: natsServers(access),
    longestRetryMs: LONGEST_RETRY_MS,
    scheduler,
    random: Math.random,
  });
}

function given(link: NatsLink, work: NatsWork): Observable<Item> {
  const begun$ = defer(() => work(link)).pipe(
    catchError((error: unknown) => of<Down>({ why: errorText(error) })),
  );
  return givenLink(link).pipe(
    switchMap((state): Observable<Item> => {
      if (state === 'up') return begun$;
      return of(state === 'down' ? lost : 'ended');
    }),
  );
}
