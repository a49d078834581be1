import { map, type Observable } from 'rxjs';
import type { SourceStatus } from '../../core/source-status.js';
import type { EtcdOptions } from './etcd-options.js';
import { etcdReconnecting } from './etcd-reconnecting.js';
import { GrpcLink } from './grpc-link.js';
import { openClient } from './open-client.js';
import type { PrefixBatch } from './prefix-batch.js';
import { watchRun } from './watch-run.js';
import { watchedPrefixes } from './watched-prefixes.js';

/** What to watch. */
export interface WatchPrefixOptions extends EtcdOptions {
  /** The keys to watch: those that begin with one of these. An empty prefix is all keys, no prefix is an error. */
  readonly prefixes: string | readonly string[];
  /** The name in the status; `etcd` when absent. */
  readonly source?: string;
}

/** A run over real connections. Cold. */
export function prefixRun(options: WatchPrefixOptions): Observable<PrefixBatch | SourceStatus> {
  const { prefixes, source = 'etcd', keyPrefix = '' } = options;
  const reconnecting = etcdReconnecting(options);
  const { scheduler } = reconnecting;
  return watchRun({
    ...reconnecting,
    open: (host) =>
      openClient(host, options, scheduler).pipe(map((client) => new GrpcLink(client, keyPrefix, scheduler))),
    prefixes: watchedPrefixes(prefixes),
    source,
  });
}
