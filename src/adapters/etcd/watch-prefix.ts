import { type Observable, defer, filter, finalize, map, share, startWith, switchMap, tap } from 'rxjs';
import { aString, required, textOrList } from '../../core/option-problems.js';
import { type SourceStatus, followSessions } from '../../core/sources/source-status.js';
import { type ReconnectOptions, reconnect } from '../../operators/reconnect.js';
import { openClient } from './etcd-connection.js';
import type { EtcdLink, KeyPut, PrefixBatch } from './etcd-link.js';
import {
  type EtcdHost,
  type EtcdOptions,
  EtcdOptionsError,
  etcdReconnectOptions,
  requireEtcdOptions,
} from './etcd-options.js';
import { GrpcLink } from './grpc-link.js';
import { KeyHistory } from './key-history.js';
import { watchSession } from './watch-session.js';

/**
 * The prefixes to watch, without those that another one covers, because their keys would be reported twice.
 *
 * @throws EtcdOptionsError if there is no prefix.
 */
export function normalizePrefixes(prefixes: string | readonly string[]): readonly string[] {
  const given = [...new Set([prefixes].flat())];
  if (given.length === 0)
    throw new EtcdOptionsError(["prefixes must contain at least one prefix; '' means all keys"]);
  return given.filter((prefix) => !given.some((other) => other !== prefix && prefix.startsWith(other)));
}

/** Options of {@link runWatch}. */
export interface WatchRunOptions extends ReconnectOptions<EtcdHost> {
  readonly open: (host: EtcdHost) => Observable<EtcdLink>;
  readonly prefixes: readonly string[];
  /** The name of the source in the status. */
  readonly source: string;
}

/**
 * Watches prefixes over any number of sessions. Never errors or completes. The status is `connecting` until the first
 * session is live or fails, `live` while a session is live, with the prefixes that may not be read as the reason, and
 * otherwise `down` since the first failure, with the latest reason.
 */
export function runWatch(run: WatchRunOptions): Observable<PrefixBatch | SourceStatus> {
  const { open, prefixes, source, scheduler } = run;
  return defer(() => {
    const histories = prefixes.map((prefix) => new KeyHistory(prefix));
    const session = (host: EtcdHost) =>
      open(host).pipe(switchMap((link) => watchSession(link, histories, scheduler)));
    return reconnect(session, run).pipe(followSessions<PrefixBatch>(source, scheduler));
  });
}

/** Options of {@link watchPrefix}. */
export interface WatchPrefixOptions extends EtcdOptions {
  /** The prefixes of the keys to watch, at least one. An empty prefix means all keys. */
  readonly prefixes: string | readonly string[];
  /** The name of the source in the status. Defaults to `etcd`. */
  readonly source?: string;
}

/** A cold watch over real connections. */
function runPrefixWatch(options: WatchPrefixOptions): Observable<PrefixBatch | SourceStatus> {
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

/** The outputs of a watch. */
export interface PrefixWatch {
  /** Batches of changes, beginning with a snapshot. */
  readonly changes$: Observable<PrefixBatch>;
  /** The status of the watch, beginning with the current one. */
  readonly status$: Observable<SourceStatus>;
}

/**
 * Shares one watch among all subscribers of both outputs. A late subscriber gets the current state first.
 *
 * @param keep whether to keep the keys and values for that. Without, `changes$` supports only one subscriber.
 */
export function shareWatch(
  run$: Observable<PrefixBatch | SourceStatus>,
  { keep }: { readonly keep: boolean },
): PrefixWatch {
  let current: Map<string, KeyPut> | null = null;
  let revision = '0';
  let status: SourceStatus | null = null;
  const remember = (item: PrefixBatch | SourceStatus): void => {
    if ('state' in item) {
      status = item;
      return;
    }
    if (!keep) return;
    current ??= new Map();
    revision = item.revision;
    for (const change of item.changes) {
      if (change.kind === 'put') current.set(change.key, change);
      else current.delete(change.key);
    }
  };
  const shared$ = run$.pipe(
    tap(remember),
    finalize(() => {
      current = null;
      status = null;
    }),
    share(),
  );
  const changes$ = shared$.pipe(filter((item) => 'changes' in item));
  const status$ = shared$.pipe(filter((item) => 'state' in item));
  return {
    changes$: defer(() =>
      current === null
        ? changes$
        : changes$.pipe(
            startWith<PrefixBatch>({ kind: 'snapshot', revision, changes: [...current.values()] }),
          ),
    ),
    status$: defer(() => (status === null ? status$ : status$.pipe(startWith(status)))),
  };
}

/**
 * Watches the keys below prefixes of an etcd.
 *
 * 1. All subscriptions to `changes$` and `status$` share one watch. It begins with the first subscription and ends with
 *    the last; a later subscription begins a new one.
 * 2. `changes$` gives every subscriber a `snapshot` first; a late one gets it at once. Then it emits `changes`, in order
 *    and complete: after a lost connection the watch resumes at the last revision. If that is impossible, because history
 *    was compacted or the store was replaced, it emits the difference as one `resync`.
 * 3. Neither output errors or completes. A failure is a status with the reason and the time until the next attempt.
 *    `status$` emits the current status first.
 * 4. `live` means that all prefixes are listed and watched, and that nothing is missing. A prefix that the user may not
 *    read is named in the reason of the `live` status, and the others are watched. It is tried again, at intervals of up
 *    to 30 s, and its keys are emitted as a `resync` when the user may read it. If the user may read no prefix, the watch
 *    is `down`. If a permission is revoked, the last known keys stay, and the reason appears within about 35 s.
 * 5. A compaction is one interruption with one reason and at most one `resync`, regardless of the number of prefixes.
 * 6. A silent server is noticed within 10 s. An event that the server itself lost is noticed within about 35 s and
 *    reported as a `resync`.
 * 7. Keys are strings. A key that is not valid UTF-8 is ignored.
 *
 * ```
 *   etcd      put a, put b     put c  (cut, put d, delete a)  put e  (cut, compacted: put f)
 *   changes$  snapshot(a b)--c--------changes(d, -a)-----------e------resync(f)---------------
 *   status$   connecting live---------down live----------------------down live---------------
 * ```
 *
 * An error that a subscriber throws is not an error of the stream: RxJS reports it from a timer, which crashes a Node
 * process unless `config.onUnhandledError` of rxjs is set.
 *
 * @throws EtcdOptionsError for invalid options, synchronously.
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
 * @see {@link registerKeys}
 */
export function watchPrefix(options: WatchPrefixOptions): PrefixWatch {
  requireEtcdOptions('watchPrefix', options, {
    prefixes: required(textOrList("a prefix, or a list of prefixes; '' means all keys")),
    source: aString,
  });
  return etcdKeys(options, { keep: true });
}

/** Like {@link watchPrefix}, but without keeping the values unless `keep` is set, see {@link shareWatch}. */
export function etcdKeys(options: WatchPrefixOptions, { keep }: { readonly keep: boolean }): PrefixWatch {
  return shareWatch(runPrefixWatch(options), { keep });
}
