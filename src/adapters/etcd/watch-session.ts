import {
  EMPTY,
  type Observable,
  type SchedulerLike,
  catchError,
  concatMap,
  defer,
  endWith,
  exhaustMap,
  forkJoin,
  from,
  ignoreElements,
  map,
  merge,
  mergeMap,
  of,
  timer,
} from 'rxjs';
import { type Retry, retryWithBackoff } from '../../operators/retry-with-backoff.js';
import { MAX_ANSWER_MS } from './etcd-connection.js';
import { EtcdError, hasEtcdCode } from './etcd-error.js';
import type { EtcdLink, KeyChange, Listing, PrefixBatch } from './etcd-link.js';
import { KeyHistory } from './key-history.js';

/** A history and a listing of its prefix. */
export interface Listed {
  readonly history: KeyHistory;
  readonly listing: Listing;
}

/** What the user may read, and the histories of the prefixes that it may not read. */
interface Listings {
  readonly listed: readonly Listed[];
  readonly refused: readonly KeyHistory[];
}

/** Lists the prefixes of all histories at the same revision. */
function listAll(
  link: EtcdLink,
  histories: readonly KeyHistory[],
  options: { readonly keysOnly: boolean },
): Observable<Listings> {
  return defer(() => {
    const listed: Listed[] = [];
    const refused: KeyHistory[] = [];
    return from(histories).pipe(
      concatMap((history) => {
        const [first] = listed;
        return link
          .list(history.prefix, { ...options, ...(first && { revision: first.listing.revision }) })
          .pipe(
            map((listing) => listed.push({ history, listing })),
            catchError((error: unknown) => {
              if (!hasEtcdCode(error, 'etcd-permission')) throw error;
              return of(refused.push(history));
            }),
          );
      }),
      ignoreElements(),
      endWith({ listed, refused }),
    );
  });
}

/** Why prefixes are not watched. */
function refusal({ url, keyPrefix }: EtcdLink, refused: Iterable<KeyHistory>): EtcdError {
  const prefixes = Array.from(refused, ({ prefix }) => JSON.stringify(`${keyPrefix}${prefix}`)).join(', ');
  return new EtcdError(
    'etcd-permission',
    `etcd at ${url}: the keys below ${prefixes} are not watched because the user has no permission to read them; ` +
      "if they are needed, grant the user's role read permission for these prefixes.",
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
 * 3. Errors with `EtcdError` if the store went back in time, and if the user may no longer read a prefix.
 */
function auditKeys(
  link: EtcdLink,
  histories: readonly KeyHistory[],
  scheduler: SchedulerLike,
): Observable<PrefixBatch> {
  const keys$ = defer(() => listAll(link, histories, { keysOnly: true })).pipe(
    map(({ listed, refused }) => {
      if (refused.length > 0) throw refusal(link, refused);
      return requireSameStore(listed, link.url);
    }),
  );
  return keys$.pipe(
    mergeMap((listed) => (suspects(listed).length === 0 ? EMPTY : timer(GRACE_MS, scheduler))),
    mergeMap(() => keys$),
    mergeMap((listed) => listAll(link, confirmed(listed), { keysOnly: false })),
    mergeMap(({ listed }) => listed.map(({ history, listing }) => history.mend(listing))),
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

/** Says that the session is live, and why it does not watch some prefixes, if there are any. */
export interface SessionLive {
  readonly state: 'live';
  readonly why?: string;
}

/** Changes, and `live`. */
export type SessionItem = PrefixBatch | SessionLive;

/** Progress of a session: the watch of a history was created, the history to replay exists, or an audit has ended. */
type Progress = KeyHistory | 'replayable' | 'audited';

const PROBE_MS = 5_000;
const FIRST_AUDIT_MS = 2_000;
const AUDIT_MS = 30_000;

/**
 * Lists prefixes and watches them over one link, until an error.
 *
 * 1. It lists all prefixes that the user may read at one revision, and emits the differences as one batch: a snapshot if
 *    nothing has been emitted before, otherwise a resync. Then each watch begins where its history ends.
 * 2. It is `live` when all watches are created, the history that they replay exists, and they have reported everything
 *    that the listings show.
 * 3. It tries the other prefixes again, after 2 s and then at intervals that grow up to 30 s. The keys below a prefix that
 *    the user may now read are emitted as a resync, and the session is `live` again, without that prefix in the reason.
 * 4. It probes the server every 5 s, and audits the keys after 2 s and then every 30 s.
 * 5. It errors with `EtcdError` and never completes: also if the user may read no prefix, or may no longer read one. If the
 *    revisions to replay have been compacted, all histories that need them record that before the error, so that the next
 *    session emits the difference to the oldest available revision once and replays from there.
 */
export function watchSession(
  link: EtcdLink,
  histories: readonly KeyHistory[],
  scheduler: SchedulerLike,
): Observable<SessionItem> {
  return listAll(link, histories, { keysOnly: false }).pipe(
    mergeMap((listings) => {
      if (listings.listed.length === 0) throw refusal(link, listings.refused);
      const kind = histories.every(({ revision }) => revision === null) ? 'snapshot' : 'resync';
      const watched = listings.listed.map(({ history }) => history);
      const refused = new Set(listings.refused);
      const waiting = new Set(watched);
      let isReplayable = false;
      let refusedWhenLive = Infinity;
      /** Emits `live` when that becomes true, and again for each prefix that is no longer refused. */
      const liveness = (): readonly SessionLive[] => {
        if (refused.size === refusedWhenLive || !isReplayable || waiting.size > 0) return [];
        if (watched.some(({ isBehind }) => isBehind)) return [];
        refusedWhenLive = refused.size;
        return [{ state: 'live', ...(refused.size > 0 && { why: refusal(link, refused).message }) }];
      };

      return merge(
        watchListed(link, listings.listed, kind, histories, scheduler),
        runChecks(link, watched, scheduler),
        ...listings.refused.map((history) =>
          listWhenPermitted(link, history, scheduler).pipe(
            mergeMap((listed) => {
              watched.push(history);
              return watchListed(link, [listed], 'resync', histories, scheduler);
            }),
          ),
        ),
      ).pipe(
        mergeMap((item) => {
          if (item === 'replayable') isReplayable = true;
          else if (item instanceof KeyHistory) {
            waiting.delete(item);
            refused.delete(item);
          } else if (item !== 'audited') return [item, ...liveness()];
          return liveness();
        }),
      );
    }),
  );
}

/** Emits the differences of listings as one batch, and then the changes from there on. */
function watchListed(
  link: EtcdLink,
  listed: readonly Listed[],
  kind: 'snapshot' | 'resync',
  histories: readonly KeyHistory[],
  scheduler: SchedulerLike,
): Observable<PrefixBatch | Progress> {
  return forkJoin(listed.map((prefix) => attachToOldest(link, prefix))).pipe(
    mergeMap((starts) => {
      const [first] = starts.filter((start) => start.changes !== null);
      const changes = starts.flatMap((start) => start.changes ?? []);
      const batch$ =
        first !== undefined && (kind === 'snapshot' || changes.length > 0)
          ? of<PrefixBatch>({ kind, revision: first.revision.toString(), changes })
          : EMPTY;
      return merge(
        batch$,
        ...starts.map(({ history, watchFrom }) => watchHistory(link, history, watchFrom, histories)),
        findHistory(link, starts, scheduler),
      );
    }),
  );
}

interface Start {
  readonly history: KeyHistory;
  /** The changes up to this revision; `null` if the watch replays them. */
  readonly changes: readonly KeyChange[] | null;
  readonly revision: bigint;
  readonly watchFrom: bigint;
  /** The revision of the server. */
  readonly current: bigint;
}

/** Attaches a history to its listing, or after a compaction to that of the oldest available revision. */
function attachToOldest(link: EtcdLink, { history, listing }: Listed): Observable<Start> {
  const oldest = history.takeOldest(listing.revision);
  const listing$ = oldest === null ? of(listing) : link.list(history.prefix, { revision: oldest });
  return listing$.pipe(
    map((older) => {
      const attachment = history.attach(older);
      history.expect(listing);
      return { history, ...attachment, revision: older.revision, current: listing.revision };
    }),
  );
}

/**
 * Emits when the history that the watches replay exists. A server creates a watch first, and says later that its history
 * has been compacted. Only the watch says which revision is the oldest, so it is given some time to do so.
 */
function findHistory(
  link: EtcdLink,
  starts: readonly Start[],
  scheduler: SchedulerLike,
): Observable<Progress> {
  const [first] = [...starts].sort((a, b) => (a.watchFrom < b.watchFrom ? -1 : 1));
  if (first === undefined || first.watchFrom > first.current) return of('replayable');
  return link.list(first.history.prefix, { keysOnly: true, revision: first.watchFrom }).pipe(
    map(() => 'replayable' as const),
    catchError((error: unknown) => {
      if (!hasEtcdCode(error, 'etcd-compacted')) throw error;
      return timer(MAX_ANSWER_MS, scheduler).pipe(
        map(() => {
          first.history.lose();
          throw error;
        }),
      );
    }),
  );
}

function watchHistory(
  link: EtcdLink,
  history: KeyHistory,
  watchFrom: bigint,
  histories: readonly KeyHistory[],
): Observable<PrefixBatch | Progress> {
  return link.watch(history.prefix, watchFrom).pipe(
    mergeMap((answer): readonly (PrefixBatch | Progress)[] => {
      switch (answer.kind) {
        case 'created':
          return [history];
        case 'changes': {
          const batch = history.advance(answer.changes);
          return batch === null ? [] : [batch];
        }
        case 'compacted': {
          // The watches of the others may not have said it yet.
          const { oldest } = answer;
          for (const other of histories)
            if (other === history || (other.revision !== null && other.revision < oldest)) other.lose(oldest);
          throw new EtcdError(
            'etcd-compacted',
            `etcd at ${link.url} has compacted the changes since revision ${watchFrom - 1n} before they were received. ` +
              'tidemark lists the keys again.',
          );
        }
      }
    }),
  );
}

/** Tries to list a prefix that was refused, at growing intervals, until the user may read it. */
function listWhenPermitted(
  link: EtcdLink,
  history: KeyHistory,
  scheduler: SchedulerLike,
): Observable<Listed> {
  const onRetry = ({ error }: Retry): void => {
    if (!hasEtcdCode(error, 'etcd-permission')) throw error;
  };
  const backoff = { initialMs: FIRST_AUDIT_MS, maxMs: AUDIT_MS, onRetry };
  return timer(FIRST_AUDIT_MS, scheduler).pipe(
    mergeMap(() => defer(() => link.list(history.prefix)).pipe(retryWithBackoff(backoff, scheduler))),
    map((listing) => ({ history, listing })),
  );
}

/** Probes and audits, in parallel with the watches. */
function runChecks(
  link: EtcdLink,
  histories: readonly KeyHistory[],
  scheduler: SchedulerLike,
): Observable<PrefixBatch | Progress> {
  return merge(
    timer(PROBE_MS, PROBE_MS, scheduler).pipe(exhaustMap(() => link.probe())),
    timer(FIRST_AUDIT_MS, AUDIT_MS, scheduler).pipe(
      exhaustMap(() => auditKeys(link, histories, scheduler).pipe(endWith('audited' as const))),
    ),
  );
}
