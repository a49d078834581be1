import type { IRangeRequest, IRangeResponse, IWatchResponse } from 'etcd3';
import type { Observable } from 'rxjs';
import {
  catchError,
  defer,
  EMPTY,
  expand,
  from,
  ignoreElements,
  mergeMap,
  reduce,
  throwError,
  type SchedulerLike,
} from 'rxjs';
import { answerWithin } from './answer-within.js';
import type { EtcdClient } from './etcd-client.js';
import type { EtcdLink, ListOptions, WatchAnswer } from './etcd-link.js';
import { troubleOf } from './etcd-trouble.js';
import { keyChangeOf, keyPutOf } from './key-change-of.js';
import { isTokenTrouble } from './is-token-trouble.js';
import { keyRange, rangeAfter, type KeyRange } from './key-range.js';
import type { Listing } from './listing.js';
import { watchStream } from './watch-stream.js';

/** How long one answer may take, and how many keys one answer of a listing holds. */
export const ANSWER_MS = 5_000;
const PAGE_KEYS = 1_000;
const PAGE_MS = 10_000;

/** A connection over gRPC, through the raw calls of etcd3. */
export class GrpcLink implements EtcdLink {
  readonly #client: EtcdClient;
  readonly #keyPrefix: string;
  readonly #scheduler: SchedulerLike;

  constructor(
    client: EtcdClient,
    readonly url: string,
    keyPrefix: string,
    scheduler: SchedulerLike,
  ) {
    this.#client = client;
    this.#keyPrefix = keyPrefix;
    this.#scheduler = scheduler;
  }

  list(prefix: string, { revision, keysOnly = false }: ListOptions = {}): Observable<Listing> {
    const page = (range: KeyRange, at: bigint | undefined): Observable<IRangeResponse> =>
      this.#range(
        { ...range, limit: PAGE_KEYS, keys_only: keysOnly, ...(at && { revision: `${at}` }) },
        PAGE_MS,
      );
    const range = this.#rangeOf(prefix);
    return defer(() => {
      // Every further page shows the store as the first one did.
      let shown = revision;
      return page(range, revision).pipe(
        expand(({ header, more, kvs }) => {
          shown ??= BigInt(header.revision);
          const last = kvs.at(-1);
          return more && last !== undefined ? page(rangeAfter(range, last.key), shown) : EMPTY;
        }),
        reduce(
          (listing: Listing, { header, kvs }) => ({
            revision: shown ?? BigInt(header.revision),
            entries: listing.entries.concat(kvs.map((kv) => keyPutOf(kv, this.#keyPrefix))),
          }),
          { revision: 0n, entries: [] },
        ),
        this.#told(`listing ${prefix}`),
      );
    });
  }

  watch(prefix: string, watchFrom: bigint): Observable<WatchAnswer> {
    const request = { ...this.#rangeOf(prefix), start_revision: watchFrom.toString() };
    return watchStream(this.#client.watch, { create_request: request }).pipe(
      mergeMap((answer) => this.#watchAnswers(answer)),
      this.#told(`watching ${prefix}`),
    );
  }

  probe(): Observable<never> {
    const { key } = this.#rangeOf('');
    return this.#range({ key, count_only: true }, ANSWER_MS).pipe(
      ignoreElements(),
      this.#told('asking whether it is there'),
    );
  }

  #range(request: IRangeRequest, withinMs: number): Observable<IRangeResponse> {
    const { kv, login } = this.#client;
    const ask = (): Observable<IRangeResponse> => defer(() => kv.range(request));
    return ask().pipe(
      // Tokens run out; a new one costs less than a new connection.
      catchError((error: unknown) =>
        isTokenTrouble(error) ? from(login()).pipe(mergeMap(ask)) : throwError(() => error),
      ),
      answerWithin(withinMs, this.#scheduler),
    );
  }

  #watchAnswers({
    created,
    canceled,
    compact_revision,
    cancel_reason,
    events,
  }: IWatchResponse): WatchAnswer[] {
    if (canceled && compact_revision !== '0') return [{ kind: 'compacted' }];
    if (canceled) throw new Error(cancel_reason === '' ? 'the server ended the watch' : cancel_reason);
    if (created) return [{ kind: 'created' }];
    // A progress notice has no events and, in some releases, a wrong revision.
    if (events.length === 0) return [];
    return [{ kind: 'changes', changes: events.map((event) => keyChangeOf(event, this.#keyPrefix)) }];
  }

  #rangeOf(prefix: string): KeyRange {
    return keyRange(this.#keyPrefix + prefix);
  }

  #told<T>(tried: string): (source$: Observable<T>) => Observable<T> {
    return catchError((error: unknown) => throwError(() => troubleOf(error, this.url, tried)));
  }
}
