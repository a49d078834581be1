import { defer, map, startWith, switchMap, type Observable } from 'rxjs';
import { packageErrorCode } from '../../core/package-error.js';
import type { SourceStatus } from '../../core/source-status.js';
import type { EtcdHost } from './etcd-host.js';
import type { EtcdLink } from './etcd-link.js';
import { KeyHistory } from './key-history.js';
import type { PrefixBatch } from './prefix-batch.js';
import { Failure, reconnecting, type Reconnecting } from '../../operators/reconnecting.js';
import { watchSession } from './watch-session.js';

/** What a run is made of. */
export interface WatchRun extends Reconnecting<EtcdHost> {
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
export function watchRun(run: WatchRun): Observable<PrefixBatch | SourceStatus> {
  const { open, prefixes, source, scheduler } = run;
  return defer(() => {
    const histories = prefixes.map((prefix) => new KeyHistory(prefix));
    let status: SourceStatus = { source, state: 'connecting', since: scheduler.now() };
    const session = (host: EtcdHost) =>
      open(host).pipe(switchMap((link) => watchSession(link, histories, scheduler)));
    return reconnecting(session, run).pipe(
      map((item) => {
        if (item === 'live') return (status = { source, state: 'live', since: scheduler.now() });
        if (!(item instanceof Failure)) return item;
        const since = status.state === 'down' ? status.since : scheduler.now();
        const { why, retryInMs, error } = item;
        const code = packageErrorCode(error);
        return (status = { source, state: 'down', since, why, ...(code && { code }), retryInMs });
      }),
      startWith(status),
    );
  });
}
