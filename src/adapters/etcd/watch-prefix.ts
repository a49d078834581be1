import { type Observable, defer, filter, finalize, map, share, startWith, switchMap, tap } from 'rxjs';
import { packageErrorCode } from '../../core/errors.js';
import { type SourceStatus, nextStatus } from '../../core/sources/source-status.js';
import { type ReconnectOptions, SessionFailure, reconnect } from '../../operators/reconnect.js';
import { openClient } from './etcd-connection.js';
import type { EtcdLink, KeyPut, PrefixBatch } from './etcd-link.js';
import { type EtcdHost, type EtcdOptions, EtcdOptionsError, etcdReconnectOptions } from './etcd-options.js';
import { GrpcLink } from './grpc-link.js';
import { KeyHistory } from './key-history.js';
import { watchSession } from './watch-session.js';

/**
 * The prefixes to watch, without those that lie below another one: what is there would be told twice.
 *
 * @throws EtcdOptionsError for none: that would be live never, and tell nothing.
 */
export function normalizePrefixes(prefixes: string | readonly string[]): readonly string[] {
  const given = [...new Set([prefixes].flat())];
  if (given.length === 0) throw new EtcdOptionsError(["prefixes must name at least one; '' is all keys"]);
  return given.filter((prefix) => !given.some((other) => other !== prefix && prefix.startsWith(other)));
}

/** What a run is made of. */
export interface WatchRunOptions extends ReconnectOptions<EtcdHost> {
  readonly open: (host: EtcdHost) => Observable<EtcdLink>;
  readonly prefixes: readonly string[];
  /** The name in the status. */
  readonly source: string;
}

/**
 * What is below prefixes, over any number of sessions, for as long as somebody listens. Never errors and never
 * completes. The status is `connecting` until the first session is live, `live` while one is, and otherwise `down`
 * since the first failure, with the latest reason.
 */
export function runWatch(run: WatchRunOptions): Observable<PrefixBatch | SourceStatus> {
  const { open, prefixes, source, scheduler } = run;
  return defer(() => {
    const histories = prefixes.map((prefix) => new KeyHistory(prefix));
    let status: SourceStatus = { source, state: 'connecting', since: scheduler.now() };
    const session = (host: EtcdHost) =>
      open(host).pipe(switchMap((link) => watchSession(link, histories, scheduler)));
    return reconnect(session, run).pipe(
      map((item) => {
        if (item !== 'live' && !(item instanceof SessionFailure)) return item;
        const next = item === 'live' ? { state: 'live' as const } : downStatus(item);
        return (status = { source, ...nextStatus(status, next, scheduler.now()) });
      }),
      startWith(status),
    );
  });
}

function downStatus({ why, retryInMs, error }: SessionFailure) {
  const code = packageErrorCode(error);
  return { state: 'down' as const, why, ...(code && { code }), retryInMs };
}

/** What to watch. */
export interface WatchPrefixOptions extends EtcdOptions {
  /** The keys to watch: those that begin with one of these. An empty prefix is all keys, no prefix is an error. */
  readonly prefixes: string | readonly string[];
  /** The name in the status; `etcd` when absent. */
  readonly source?: string;
}

/** A run over real connections. Cold. */
export function runPrefixWatch(options: WatchPrefixOptions): Observable<PrefixBatch | SourceStatus> {
  const { prefixes, source = 'etcd', keyPrefix = '' } = options;
  const reconnecting = etcdReconnectOptions(options);
  const { scheduler } = reconnecting;
  return runWatch({
    ...reconnecting,
    open: (host) =>
      openClient(host, options, scheduler).pipe(map((client) => new GrpcLink(client, keyPrefix, scheduler))),
    prefixes: normalizePrefixes(prefixes),
    source,
  });
}

/** The two halves of a run. */
export interface PrefixWatch {
  readonly changes$: Observable<PrefixBatch>;
  readonly status$: Observable<SourceStatus>;
}

/**
 * One run for all who listen to its two halves; a late subscriber gets the present state of its half first.
 *
 * @param keep whether the values are kept for that. Without, `changes$` is for one subscriber, who keeps what it needs.
 */
export function shareWatch(
  run$: Observable<PrefixBatch | SourceStatus>,
  { keep }: { readonly keep: boolean },
): PrefixWatch {
  let present: Map<string, KeyPut> | null = null;
  let status: SourceStatus | null = null;
  const remember = (item: PrefixBatch | SourceStatus): void => {
    if ('state' in item) {
      status = item;
      return;
    }
    if (!keep) return;
    present ??= new Map();
    for (const change of item.changes) {
      if (change.kind === 'put') present.set(change.key, change);
      else present.delete(change.key);
    }
  };
  const shared$ = run$.pipe(
    tap(remember),
    finalize(() => {
      present = null;
      status = null;
    }),
    share(),
  );
  const changes$ = shared$.pipe(filter((item) => 'changes' in item));
  const status$ = shared$.pipe(filter((item) => 'state' in item));
  return {
    changes$: defer(() =>
      present === null
        ? changes$
        : changes$.pipe(startWith<PrefixBatch>({ kind: 'snapshot', changes: [...present.values()] })),
    ),
    status$: defer(() => (status === null ? status$ : status$.pipe(startWith(status)))),
  };
}

/**
 * Watches the keys below prefixes of an etcd, for as long as somebody listens.
 *
 * 1. Nothing happens before the first subscription to `changes$` or `status$`. All subscriptions share one run; when
 *    the last one ends, so does the run, and the next one begins anew.
 * 2. `changes$` gives every subscriber a `snapshot` first, a late one the present state at once. Then `changes`, in
 *    order and complete: after a lost connection the watch goes on where it was. Where that cannot be done, because
 *    history was compacted away or the store was replaced, it gives the difference as one `resync`. Of what happened, only
 *    what the server has no more is left out.
 * 3. Neither errors, and neither completes. What is wrong is a status, with the reason and the time of the next try;
 *    `status$` gives a late subscriber the present one.
 * 4. A server that is silent is noticed within 10 s; an event that the server itself lost within about 35 s, as a
 *    `resync`.
 * 5. Keys are text. One whose bytes are no UTF-8 is left out.
 *
 * ```
 *   etcd      put a, put b     put c  (cut, put d, delete a)  put e  (cut, compacted: put f)
 *   changes$  snapshot(a b)--c--------changes(d, -a)-----------e------resync(f)---------------
 *   status$   connecting live---------down live----------------------down live---------------
 * ```
 *
 * An error that a subscriber throws is no error of the stream: RxJS reports it on a timer, which ends a Node process
 * unless `config.onUnhandledError` of rxjs is set.
 *
 * @throws EtcdOptionsError, when it is called, for options that cannot be followed.
 *
 * @example
 * ```ts no-run
 * import { watchPrefix } from 'tidemark/etcd';
 *
 * const { changes$, status$ } = watchPrefix({ hosts: 'http://127.0.0.1:2379', prefixes: 'v1/instances/' });
 * status$.subscribe(({ state, why }) => console.log(state, why ?? ''));
 * changes$.subscribe(({ kind, changes }) => console.log(kind, changes.length));
 * ```
 *
 * @see {@link etcdDiscovery} for what the keys say of a fleet
 */
export function watchPrefix(options: WatchPrefixOptions): PrefixWatch {
  return shareWatch(runPrefixWatch(options), { keep: true });
}
