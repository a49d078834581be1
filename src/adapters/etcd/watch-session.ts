import {
  EMPTY,
  exhaustMap,
  forkJoin,
  map,
  merge,
  mergeMap,
  of,
  timer,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import { auditKeys } from './audit-keys.js';
import type { EtcdLink } from './etcd-link.js';
import { EtcdTrouble } from './etcd-trouble.js';
import type { KeyHistory } from './key-history.js';
import { listAll, type Listed } from './list-all.js';
import type { PrefixBatch } from './prefix-batch.js';

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
 * 4. It errors with `EtcdTrouble` and never completes. Where what should be replayed is compacted away, the histories
 *    know before the error, so that the next session tells the difference: to the oldest state that the store still
 *    has, from which on it replays.
 */
export function watchSession(
  link: EtcdLink,
  histories: readonly KeyHistory[],
  scheduler: SchedulerLike,
): Observable<SessionItem> {
  return listAll(link, histories, { keysOnly: false }).pipe(
    mergeMap((listed) => forkJoin(listed.map((one) => whereLeastIsLost(link, one)))),
    mergeMap((listed) => {
      const { batch, starts } = attach(listed);
      let awaited = starts.length;
      const watches$ = merge(...starts.map(({ history, watchFrom }) => watch(link, history, watchFrom))).pipe(
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
function whereLeastIsLost(link: EtcdLink, { history, listing }: Listed): Observable<Listed> {
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

function watch(link: EtcdLink, history: KeyHistory, watchFrom: bigint): Observable<PrefixBatch | 'stands'> {
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
          throw new EtcdTrouble(
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
