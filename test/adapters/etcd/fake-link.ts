import {
  defer,
  EMPTY,
  map,
  merge,
  mergeMap,
  of,
  Subject,
  throwError,
  timer,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import { EtcdError } from '../../../src/adapters/etcd/etcd-error.js';
import type {
  EtcdLink,
  KeyChange,
  ListOptions,
  Listing,
  WatchAnswer,
} from '../../../src/adapters/etcd/etcd-link.js';
import type { EtcdModel } from './etcd-model.js';

/** Like etcd, a watch replays history, or says that it has been compacted, some time after it was created. */
const REPLAY_MS = 3;

/** A link to a model of a store. Every answer takes a millisecond; watches report the changes of the store. */
export class FakeLink implements EtcdLink {
  readonly url = 'http://fake:2379';
  readonly keyPrefix = '';
  /** What was asked, in order. */
  readonly asked: string[] = [];
  probeFails: Error | null = null;
  listFails: Error | null = null;
  /** Whether the watches say nothing after they were created. */
  isSilent = false;
  /** The prefixes that the user may not list. */
  readonly refused: Set<string>;
  /** The prefixes whose watches are not created before {@link create}. */
  readonly uncreated = new Set<string>();
  readonly #cut$ = new Subject<never>();
  readonly #changed$ = new Subject<void>();
  readonly #create$ = new Subject<void>();

  constructor(
    readonly store: EtcdModel,
    readonly scheduler: SchedulerLike,
    refused: readonly string[] = [],
  ) {
    this.refused = new Set(refused);
  }

  list(prefix: string, { revision, keysOnly = false }: ListOptions = {}): Observable<Listing> {
    this.asked.push(
      `list ${prefix}${keysOnly ? ' keys' : ''}${revision === undefined ? '' : ` at ${revision}`}`,
    );
    return timer(1, this.scheduler).pipe(
      map(() => {
        if (this.listFails !== null) throw this.listFails;
        if (this.refused.has(prefix)) throw new EtcdError('etcd-permission', `no permission for ${prefix}`);
        if (revision !== undefined && revision < this.store.compacted)
          throw new EtcdError('etcd-compacted', `revision ${revision} has been compacted`);
        const listing = this.store.list(revision);
        return { ...listing, entries: listing.entries.filter(({ key }) => key.startsWith(prefix)) };
      }),
    );
  }

  watch(prefix: string, from: bigint): Observable<WatchAnswer> {
    this.asked.push(`watch ${prefix} from ${from}`);
    return defer(() => {
      let next = from;
      const news = (): Observable<WatchAnswer> => {
        if (this.isSilent) return EMPTY;
        const changes = this.store.since(next);
        if (changes === null) return of({ kind: 'compacted', oldest: this.store.compacted });
        next = this.store.revision + 1n;
        const mine = changes.filter(({ key }: KeyChange) => key.startsWith(prefix));
        return mine.length === 0 ? EMPTY : of({ kind: 'changes', changes: mine });
      };
      return merge(
        timer(1, this.scheduler).pipe(
          mergeMap(() => (this.uncreated.has(prefix) ? this.#create$ : of(null))),
          map((): WatchAnswer => ({ kind: 'created' })),
        ),
        merge(timer(REPLAY_MS, this.scheduler), this.#changed$).pipe(mergeMap(news)),
        this.#cut$,
      );
    });
  }

  probe(): Observable<never> {
    this.asked.push('probe');
    return this.probeFails === null ? EMPTY : throwError(() => this.probeFails);
  }

  /** Creates the watches that are not created yet. */
  create(): void {
    this.#create$.next();
  }

  /** The watches emit what has changed. */
  flush(): void {
    this.#changed$.next();
  }

  cut(error: Error): void {
    this.#cut$.error(error);
  }
}
