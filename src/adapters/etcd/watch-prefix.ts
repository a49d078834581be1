import { prefixRun, type WatchPrefixOptions } from './prefix-run.js';
import { sharedWatch, type PrefixWatch } from './shared-watch.js';

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
  return sharedWatch(prefixRun(options), { keep: true });
}
