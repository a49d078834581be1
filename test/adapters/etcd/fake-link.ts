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
import type {
  EtcdLink,
  KeyChange,
  ListOptions,
  Listing,
  WatchAnswer,
} from '../../../src/adapters/etcd/etcd-link.js';
import type { EtcdModel } from './etcd-model.js';

/** A link to a model of a store. Every answer takes a millisecond; watches report the changes of the store. */
export class FakeLink implements EtcdLink {
  readonly url = 'http://fake:2379';
  /** What was asked, in order. */
  readonly asked: string[] = [];
  probeFails: Error | null = null;
  readonly #cut$ = new Subject<never>();
  readonly #changed$ = new Subject<void>();

  constructor(
    readonly store: EtcdModel,
    readonly scheduler: SchedulerLike,
  ) {}

  list(prefix: string, { revision, keysOnly = false }: ListOptions = {}): Observable<Listing> {
    this.asked.push(
      `list ${prefix}${keysOnly ? ' keys' : ''}${revision === undefined ? '' : ` at ${revision}`}`,
    );
    return timer(1, this.scheduler).pipe(
      map(() => {
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
        const changes = this.store.since(next);
        if (changes === null) return of({ kind: 'compacted', oldest: this.store.compacted });
        next = this.store.revision + 1n;
        const mine = changes.filter(({ key }: KeyChange) => key.startsWith(prefix));
        return mine.length === 0 ? EMPTY : of({ kind: 'changes', changes: mine });
      };
      return merge(
        timer(1, this.scheduler).pipe(map((): WatchAnswer => ({ kind: 'created' }))),
        merge(timer(2, this.scheduler), this.#changed$).pipe(mergeMap(news)),
        this.#cut$,
      );
    });
  }

  probe(): Observable<never> {
    this.asked.push('probe');
    return this.probeFails === null ? EMPTY : throwError(() => this.probeFails);
  }

  /** The watches emit what has changed. */
  flush(): void {
    this.#changed$.next();
  }

  cut(error: Error): void {
    this.#cut$.error(error);
  }
}
