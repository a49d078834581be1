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

/** The maximum time between two attempts to connect. */
const MAX_RETRY_MS = 1_000;

/** The work on a connection while it is open. Emits when the work has begun. */
export type NatsWork = (link: NatsLink) => Observable<Subscribed>;

/**
 * Does work on one connection after another, or on a given one, and emits the status: `connecting` until the work has
 * begun or failed, `live` while it is done, `down` while the connection is lost, and `ended` when a given connection was
 * closed, after which it completes. It never errors.
 *
 * @throws NatsOptionsError for invalid options, synchronously.
 */
export function runNats(
  options: NatsConnectionOptions,
  source: string,
  work: NatsWork,
): Observable<SourceStatus> {
  const { scheduler = monotonicScheduler } = options;
  const states$ =
    options.connection === undefined ? runOwn(options, work) : runGiven(options.connection, work);
  return defer(() => {
    let status: SourceStatus = { source, state: 'connecting', since: scheduler.now() };
    const follow = (
      state: SourceStatus['state'],
      why: string,
      { retryInMs, error }: Partial<Down> = {},
    ): SourceStatus => {
      const next = { state, why: why || undefined, code: packageErrorCode(error), retryInMs };
      return (status = { source, ...nextStatus(status, next, scheduler.now()) });
    };
    return states$.pipe(
      map((item) => {
        if (item === 'ended') return follow('ended', 'the owner closed the connection');
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

const lost: Down = { why: 'the connection was lost, and its owner reconnects' };

function runOwn(
  options: Extract<NatsConnectionOptions, { connection?: undefined }>,
  work: NatsWork,
): Observable<Item> {
  const { scheduler = monotonicScheduler } = options;
  return reconnect((server) => openNats(server, options).pipe(switchMap(work)), {
    hosts: parseNatsServers(options),
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

/** The reason why there is no connection. */
export interface Disconnected extends Pick<SourceStatus, 'code'> {
  readonly why: string;
}

/** An open connection, or the reason why there is none. */
export type LinkOrReason = { readonly link: NatsLink } | Disconnected;

/**
 * Emits the current connection, and then every change. All subscriptions share one run, which ends `keptMs` after the
 * last of them. It completes when the owner closes a given connection, and never errors.
 *
 * @throws NatsOptionsError for invalid options, synchronously.
 */
export function keepLink(options: NatsConnectionOptions, keptMs: number): Observable<LinkOrReason> {
  const { scheduler = monotonicScheduler } = options;
  let link: NatsLink | null = null;
  const statuses$ = runNats(
    options,
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
    // The status of a lost connection arrives before its work is torn down.
    map(({ state, why = 'there is no connection', code }): LinkOrReason =>
      state === 'live' && link !== null ? { link } : { why, ...(code && { code }) },
    ),
    share({ connector: () => new ReplaySubject(1), resetOnRefCountZero: () => timer(keptMs, scheduler) }),
  );
}
