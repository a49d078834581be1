import {
  Observable,
  ReplaySubject,
  catchError,
  defer,
  filter,
  map,
  of,
  share,
  startWith,
  switchMap,
  timer,
} from 'rxjs';
import { packageErrorCode } from '../../core/errors.js';
import { type SourceStatus, nextStatus } from '../../core/sources/source-status.js';
import { errorText } from '../../operators/error-text.js';
import { reconnect } from '../../operators/reconnect.js';
import { monotonicScheduler } from '../clock/monotonic-scheduler.js';
import { openNats } from './nats-connection.js';
import { type NatsLink, type Subscribed, watchGivenLink } from './nats-link.js';
import { type NatsConnectionOptions, parseNatsServers } from './nats-options.js';

/** The longest wait between two tries to connect. */
const MAX_RETRY_MS = 1_000;

/** What is done on a connection for as long as it stands; it emits when that has begun. */
export type NatsWork = (link: NatsLink) => Observable<Subscribed>;

/**
 * Does work on one connection after another, or on a given one, and says how it is: `connecting` until the work has
 * begun once, `live` while it is done, `down` since the connection was lost, `ended` when a given connection was
 * closed, which completes it. It never errors.
 *
 * @throws NatsOptionsError, when it is called, for options that cannot be followed.
 */
export function runNats(
  access: NatsConnectionOptions,
  source: string,
  work: NatsWork,
): Observable<SourceStatus> {
  const { scheduler = monotonicScheduler } = access;
  const states$ = access.connection === undefined ? runOwn(access, work) : runGiven(access.connection, work);
  return defer(() => {
    let status: SourceStatus = { source, state: 'connecting', since: scheduler.now() };
    const follow = (
      state: SourceStatus['state'],
      why: string,
      { retryInMs, error }: Partial<Down> = {},
    ): SourceStatus => {
      const code = packageErrorCode(error);
      const next = {
        state,
        ...(why !== '' && { why }),
        ...(code && { code }),
        ...(retryInMs !== undefined && { retryInMs }),
      };
      return (status = { source, ...nextStatus(status, next, scheduler.now()) });
    };
    return states$.pipe(
      map((item) => {
        if (item === 'ended') return follow('ended', 'the connection was closed by its owner');
        return 'refused' in item ? follow('live', item.refused.join(' ')) : follow('down', item.why, item);
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

function runOwn(
  access: Extract<NatsConnectionOptions, { connection?: undefined }>,
  work: NatsWork,
): Observable<Item> {
  const { scheduler = monotonicScheduler } = access;
  return reconnect((server) => openNats(server, access).pipe(switchMap(work)), {
    hosts: parseNatsServers(access),
    maxRetryMs: MAX_RETRY_MS,
    scheduler,
    random: Math.random,
  });
}

function runGiven(link: NatsLink, work: NatsWork): Observable<Item> {
  const begun$ = defer(() => work(link)).pipe(
    catchError((error: unknown) => of<Down>({ why: errorText(error) })),
  );
  return watchGivenLink(link).pipe(
    switchMap((state): Observable<Item> => {
      if (state === 'up') return begun$;
      return of(state === 'down' ? lost : 'ended');
    }),
  );
}

/** Why there is no connection. */
export interface Disconnected extends Pick<SourceStatus, 'code'> {
  readonly why: string;
}

/** A connection that stands, or why there is none. */
export type LinkOrReason = { readonly link: NatsLink } | Disconnected;

/**
 * The connection of a run of our own, or a given one: the present one first, then each change. All share one run, which
 * begins with the first and ends `keptMs` after the last. It completes when a given connection was closed by its owner,
 * and never errors.
 *
 * @throws NatsOptionsError, when it is called, for options that cannot be followed.
 */
export function keepLink(access: NatsConnectionOptions, keptMs: number): Observable<LinkOrReason> {
  const { scheduler = monotonicScheduler } = access;
  let link: NatsLink | null = null;
  const statuses$ = runNats(
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
    map(({ state, why = 'there is no connection', code }): LinkOrReason =>
      state === 'live' && link !== null ? { link } : { why, ...(code && { code }) },
    ),
    share({ connector: () => new ReplaySubject(1), resetOnRefCountZero: () => timer(keptMs, scheduler) }),
  );
}
