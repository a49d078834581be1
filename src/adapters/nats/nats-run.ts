import { Observable, ReplaySubject, catchError, defer, filter, map, of, share, switchMap, timer } from 'rxjs';
import { type SourceStatus, type StateReport, followSessions } from '../../core/sources/source-status.js';
import { errorText } from '../../operators/error-text.js';
import { type SessionFailure, reconnect } from '../../operators/reconnect.js';
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
  const reports$ =
    options.connection === undefined ? runOwn(options, work) : runGiven(options.connection, work);
  return reports$.pipe(followSessions(source, scheduler));
}

/** The report of work that has begun. */
function begun({ refused }: Subscribed): StateReport {
  return { state: 'live', ...(refused.length > 0 && { why: refused.join(' ') }) };
}

function runOwn(
  options: Extract<NatsConnectionOptions, { connection?: undefined }>,
  work: NatsWork,
): Observable<StateReport | SessionFailure> {
  const { scheduler = monotonicScheduler } = options;
  return reconnect((server) => openNats(server, options).pipe(switchMap(work), map(begun)), {
    hosts: parseNatsServers(options),
    maxRetryMs: MAX_RETRY_MS,
    scheduler,
    random: Math.random,
  });
}

const lost: StateReport = { state: 'down', why: 'the connection was lost, and its owner reconnects' };
const ended: StateReport = { state: 'ended', why: 'the owner closed the connection' };

function runGiven(link: NatsLink, work: NatsWork): Observable<StateReport> {
  const begun$ = defer(() => work(link)).pipe(
    map(begun),
    catchError((error: unknown) => of<StateReport>({ state: 'down', why: errorText(error) })),
  );
  return watchGivenLink(link).pipe(
    switchMap((state) => {
      if (state === 'up') return begun$;
      return of(state === 'down' ? lost : ended);
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
