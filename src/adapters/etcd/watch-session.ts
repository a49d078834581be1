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

/** A prefix that was listed. */
export interface Listed {
  readonly history: KeyHistory;
  readonly listing: Listing;
}

/** Lists the prefix of every history, all at the same revision, in their order; nothing for no history. */
export function listAll(
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

/** How long the watch may take to tell what a listing shows already. */
const GRACE_MS = 2_000;

/**
 * Compares what was told with what is there, which is the only way to notice an event that the server lost.
 *
 * 1. The keys are listed, without values. Where a key is known otherwise they are listed once more after 2 s, for
 *    the watch may only be late; a key of which nothing was heard in between is settled from a full listing.
 * 2. Emits a resync for each prefix where something was missed, then completes.
 * 3. Errors with `EtcdError` when the store has gone back in time.
 */
export function auditKeys(
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
      `etcd at ${url} knows less than it has told: the store was replaced or restored. ` +
        'The difference is taken from a new listing.',
    );
  return listed;
}

/** What a session says: changes, and once that every watch stands. */
export type SessionItem = PrefixBatch | 'live';

const PROBE_MS = 5_000;
const FIRST_AUDIT_MS = 2_000;
const AUDIT_MS = 30_000;

/**
 * Lists prefixes and watches them over one link, until something is wrong.
 *
 * 1. All prefixes are listed at one revision. What that says beyond what is known is one batch; then each watch
 *    begins where its history ends.
 * 2. `'live'` when every watch stands.
 * 3. Every 5 s the server has to answer, and 2 s after it is live and every 30 s the keys are audited.
 * 4. It errors with `EtcdError` and never completes. Where what should be replayed is compacted away, the histories
 *    know before the error, so that the next session tells the difference: to the oldest state that the store still
 *    has, from which on it replays.
 */
export function watchSession(
  link: EtcdLink,
  histories: readonly KeyHistory[],
  scheduler: SchedulerLike,
): Observable<SessionItem> {
  return listAll(link, histories, { keysOnly: false }).pipe(
    mergeMap((listed) => forkJoin(listed.map((one) => listFromOldest(link, one)))),
    mergeMap((listed) => {
      const { batch, starts } = attach(listed);
      let awaited = starts.length;
      const watches$ = merge(
        ...starts.map(({ history, watchFrom }) => watchHistory(link, history, watchFrom)),
      ).pipe(
        mergeMap((item) => {
          if (item !== 'stands') return of(item);
          awaited -= 1;
          return awaited > 0 ? EMPTY : merge(of('live' as const), upkeep(link, histories, scheduler));
        }),
      );
      return batch === null ? watches$ : merge(of(batch), watches$);
    }),
  );
}

/** The listing to go on from: where history was compacted away, that of the oldest revision there is. */
function listFromOldest(link: EtcdLink, { history, listing }: Listed): Observable<Listed> {
  const oldest = history.takeOldest(listing.revision);
  if (oldest === null) return of({ history, listing });
  return link.list(history.prefix, { revision: oldest }).pipe(map((older) => ({ history, listing: older })));
}

interface Start {
  readonly history: KeyHistory;
  readonly watchFrom: bigint;
}

/** What the listings say beyond what is known, as one batch, and where each watch begins. */
function attach(listed: readonly Listed[]): { batch: PrefixBatch | null; starts: Start[] } {
  const attached = listed.map(({ history, listing }) => ({ history, ...history.attach(listing) }));
  const batches = attached.flatMap(({ batch }) => batch ?? []);
  const [first] = batches;
  return {
    // All are snapshots the first time, and none is later.
    batch:
      first === undefined ? null : { kind: first.kind, changes: batches.flatMap(({ changes }) => changes) },
    starts: attached,
  };
}

function watchHistory(
  link: EtcdLink,
  history: KeyHistory,
  watchFrom: bigint,
): Observable<PrefixBatch | 'stands'> {
  return link.watch(history.prefix, watchFrom).pipe(
    mergeMap((answer) => {
      switch (answer.kind) {
        case 'created':
          return of('stands' as const);
        case 'changes': {
          const batch = history.advance(answer.changes);
          return batch === null ? EMPTY : of(batch);
        }
        case 'compacted':
          history.lose(answer.oldest);
          throw new EtcdError(
            'etcd-compacted',
            `etcd at ${link.url} has compacted away what happened below ${history.prefix} since revision ` +
              `${watchFrom - 1n}. The difference is taken from a new listing.`,
          );
      }
    }),
  );
}

/** What is asked beside the watches. */
function upkeep(
  link: EtcdLink,
  histories: readonly KeyHistory[],
  scheduler: SchedulerLike,
): Observable<PrefixBatch> {
  return merge(
    timer(PROBE_MS, PROBE_MS, scheduler).pipe(exhaustMap(() => link.probe())),
    timer(FIRST_AUDIT_MS, AUDIT_MS, scheduler).pipe(exhaustMap(() => auditKeys(link, histories, scheduler))),
  );
}
