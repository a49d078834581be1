import {
  EMPTY,
  type Observable,
  type SchedulerLike,
  concatMap,
  defer,
  exhaustMap,
  forkJoin,
  from,
  map,
  merge,
  mergeMap,
  of,
  timer,
  toArray,
} from 'rxjs';
import { EtcdError } from './etcd-error.js';
import type { EtcdLink, Listing, PrefixBatch } from './etcd-link.js';
import type { KeyHistory } from './key-history.js';

/** A history and a listing of its prefix. */
export interface Listed {
  readonly history: KeyHistory;
  readonly listing: Listing;
}

/** Lists the prefixes of all histories at the same revision. */
function listAll(
  link: EtcdLink,
  [first, ...others]: readonly KeyHistory[],
  { keysOnly }: { readonly keysOnly: boolean },
): Observable<readonly Listed[]> {
  if (first === undefined) return of([]);
  return link.list(first.prefix, { keysOnly }).pipe(
    mergeMap((listing) =>
      from(others).pipe(
        concatMap((history) =>
          link
            .list(history.prefix, { keysOnly, revision: listing.revision })
            .pipe(map((next): Listed => ({ history, listing: next }))),
        ),
        toArray(),
        map((rest) => [{ history: first, listing }, ...rest]),
      ),
    ),
  );
}

/** How long the watch may be behind a listing. */
const GRACE_MS = 2_000;

/**
 * Compares the known keys with the existing ones, which is the only way to notice an event that the server lost.
 *
 * 1. It lists the keys, without values. If a key differs, it lists them again after 2 s, because the watch may only be
 *    late. A key that still differs and did not change in the meantime is taken over from a full listing.
 * 2. Emits a resync for each prefix with missed changes, and completes.
 * 3. Errors with `EtcdError` if the store went back in time.
 */
function auditKeys(
  link: EtcdLink,
  histories: readonly KeyHistory[],
  scheduler: SchedulerLike,
): Observable<PrefixBatch> {
  const keys$ = defer(() => listAll(link, histories, { keysOnly: true })).pipe(
    map((listed) => requireSameStore(listed, link.url)),
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

function requireSameStore(listed: readonly Listed[], url: string): readonly Listed[] {
  if (listed.some(({ history, listing }) => history.isAheadOf(listing)))
    throw new EtcdError(
      'etcd-history',
      `etcd at ${url} has lost changes that it had reported: the store was replaced or restored. ` +
        'tidemark lists the keys again.',
    );
  return listed;
}

/** Changes, and once `live` when all watches are created. */
export type SessionItem = PrefixBatch | 'live';

const PROBE_MS = 5_000;
const FIRST_AUDIT_MS = 2_000;
const AUDIT_MS = 30_000;

/**
 * Lists prefixes and watches them over one link, until an error.
 *
 * 1. It lists all prefixes at one revision and emits the differences as one batch. Then each watch begins where its
 *    history ends.
 * 2. It emits `'live'` when all watches are created.
 * 3. It probes the server every 5 s, and audits the keys 2 s after it is live and then every 30 s.
 * 4. It errors with `EtcdError` and never completes. If the revisions to replay have been compacted, the histories record
 *    that before the error, so that the next session emits the difference to the oldest available revision and replays
 *    from there.
 */
export function watchSession(
  link: EtcdLink,
  histories: readonly KeyHistory[],
  scheduler: SchedulerLike,
): Observable<SessionItem> {
  return listAll(link, histories, { keysOnly: false }).pipe(
    mergeMap((listed) => forkJoin(listed.map((prefix) => listFromOldest(link, prefix)))),
    mergeMap((listed) => {
      const { batch, starts } = attach(listed);
      let awaited = starts.length;
      const watches$ = merge(
        ...starts.map(({ history, watchFrom }) => watchHistory(link, history, watchFrom)),
      ).pipe(
        mergeMap((item) => {
          if (item !== 'created') return of(item);
          awaited -= 1;
          return awaited > 0 ? EMPTY : merge(of('live' as const), runChecks(link, histories, scheduler));
        }),
      );
      return batch === null ? watches$ : merge(of(batch), watches$);
    }),
  );
}

/** The listing to continue from: after a compaction, that of the oldest available revision. */
function listFromOldest(link: EtcdLink, { history, listing }: Listed): Observable<Listed> {
  const oldest = history.takeOldest(listing.revision);
  if (oldest === null) return of({ history, listing });
  return link.list(history.prefix, { revision: oldest }).pipe(map((older) => ({ history, listing: older })));
}

interface Start {
  readonly history: KeyHistory;
  readonly watchFrom: bigint;
}

/** The differences of the listings as one batch, and the first revision of each watch. */
function attach(listed: readonly Listed[]): { batch: PrefixBatch | null; starts: Start[] } {
  const attached = listed.map(({ history, listing }) => ({ history, ...history.attach(listing) }));
  const batches = attached.flatMap(({ batch }) => batch ?? []);
  const [first] = batches;
  return {
    // The first time all batches are snapshots; later all are resyncs.
    batch:
      first === undefined ? null : { kind: first.kind, changes: batches.flatMap(({ changes }) => changes) },
    starts: attached,
  };
}

function watchHistory(
  link: EtcdLink,
  history: KeyHistory,
  watchFrom: bigint,
): Observable<PrefixBatch | 'created'> {
  return link.watch(history.prefix, watchFrom).pipe(
    mergeMap((answer) => {
      switch (answer.kind) {
        case 'created':
          return of('created' as const);
        case 'changes': {
          const batch = history.advance(answer.changes);
          return batch === null ? EMPTY : of(batch);
        }
        case 'compacted':
          history.lose(answer.oldest);
          throw new EtcdError(
            'etcd-compacted',
            `etcd at ${link.url} has compacted the changes below ${history.prefix} since revision ` +
              `${watchFrom - 1n}. tidemark lists the keys again.`,
          );
      }
    }),
  );
}

/** Probes and audits, in parallel with the watches. */
function runChecks(
  link: EtcdLink,
  histories: readonly KeyHistory[],
  scheduler: SchedulerLike,
): Observable<PrefixBatch> {
  return merge(
    timer(PROBE_MS, PROBE_MS, scheduler).pipe(exhaustMap(() => link.probe())),
    timer(FIRST_AUDIT_MS, AUDIT_MS, scheduler).pipe(exhaustMap(() => auditKeys(link, histories, scheduler))),
  );
}
