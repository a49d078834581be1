import { defer, EMPTY, map, mergeMap, timer, type Observable, type SchedulerLike } from 'rxjs';
import type { EtcdLink } from './etcd-link.js';
import { EtcdTrouble } from './etcd-trouble.js';
import type { KeyHistory } from './key-history.js';
import { listAll, type Listed } from './list-all.js';
import type { PrefixBatch } from './prefix-batch.js';

/** How long the watch may take to tell what a listing shows already. */
const GRACE_MS = 2_000;

/**
 * Compares what was told with what is there, which is the only way to notice an event that the server lost.
 *
 * 1. The keys are listed, without values. Where a key is known otherwise they are listed once more after 2 s, for
 *    the watch may only be late; a key of which nothing was heard in between is settled from a full listing.
 * 2. Emits a resync for each prefix where something was missed, then completes.
 * 3. Errors with `EtcdTrouble` when the store has gone back in time.
 */
export function auditKeys(
  link: EtcdLink,
  histories: readonly KeyHistory[],
  scheduler: SchedulerLike,
): Observable<PrefixBatch> {
  const keys$ = defer(() => listAll(link, histories, { keysOnly: true })).pipe(
    map((listed) => stillInTime(listed, link.url)),
  );
  return keys$.pipe(
    mergeMap((listed) => (suspects(listed).length === 0 ? EMPTY : timer(GRACE_MS, scheduler))),
    mergeMap(() => keys$),
    mergeMap((listed) => listAll(link, confirmed(listed), { keysOnly: false })),
    mergeMap((listed) => listed.map(({ history, listing }) => history.mend(listing))),
    mergeMap((batch) => (batch === null ? [] : [batch])),
  );
}

function suspects(listed: readonly Listed[]): Listed[] {
  return listed.filter(({ history, listing }) => history.suspect(listing));
}

function confirmed(listed: readonly Listed[]): KeyHistory[] {
  return listed.filter(({ history, listing }) => history.confirm(listing)).map(({ history }) => history);
}

function stillInTime(listed: readonly Listed[], url: string): readonly Listed[] {
  if (listed.some(({ history, listing }) => history.isAheadOf(listing)))
    throw new EtcdTrouble(
      'etcd-history',
      `etcd at ${url} knows less than it has told: the store was replaced or restored. ` +
        'The difference is taken from a new listing.',
    );
  return listed;
}
