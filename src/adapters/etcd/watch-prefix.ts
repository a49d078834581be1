import { map, type Observable } from 'rxjs';
import type { SourceStatus } from '../../core/source-status.js';
import { monotonicScheduler } from '../clock/monotonic-scheduler.js';
import { etcdHosts } from './etcd-host.js';
import type { EtcdOptions } from './etcd-options.js';
import { GrpcLink } from './grpc-link.js';
import { openClient } from './open-client.js';
import type { PrefixBatch } from './prefix-batch.js';
import { sharedWatch } from './shared-watch.js';
import { watchRun } from './watch-run.js';
import { watchedPrefixes } from './watched-prefixes.js';

/** What to watch. */
export interface WatchPrefixOptions extends EtcdOptions {
  /** The keys to watch: those that begin with one of these. An empty prefix is all keys, no prefix is an error. */
  readonly prefixes: string | readonly string[];
  /** The name in the status; `etcd` when absent. */
  readonly source?: string;
}

/** What {@link watchPrefix} returns. */
export interface PrefixWatch {
  readonly changes$: Observable<PrefixBatch>;
  readonly status$: Observable<SourceStatus>;
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
  const { prefixes, source = 'etcd', keyPrefix = '', scheduler = monotonicScheduler } = options;
  const run$ = watchRun({
    hosts: etcdHosts(options),
    open: (host) =>
      openClient(host, options, scheduler).pipe(map((client) => new GrpcLink(client, keyPrefix, scheduler))),
    prefixes: watchedPrefixes(prefixes),
    source,
    scheduler,
    random: Math.random,
  });
  return sharedWatch(run$);
}
