import type { IRangeRequest, IRangeResponse, IWatchResponse } from 'etcd3';
import type { Observable } from 'rxjs';
import {
  catchError,
  defer,
  EMPTY,
  expand,
  ignoreElements,
  mergeMap,
  reduce,
  throwError,
  type SchedulerLike,
} from 'rxjs';
import type { EtcdClient } from './etcd-client.js';
import type { EtcdLink, ListOptions, WatchAnswer } from './etcd-link.js';
import { EtcdTrouble } from './etcd-trouble.js';
import { keyChangeOf, keyPutOf } from './key-change-of.js';
import { keyRange, rangeAfter, type KeyRange } from './key-range.js';
import type { Listing } from './listing.js';
import { requestStream } from './request-stream.js';
import { told } from './told.js';
import { unaryCall } from './unary-call.js';

/** How many keys one answer of a listing holds, and how long it may take. */
const PAGE_KEYS = 1_000;
const PAGE_MS = 10_000;
/** With the 5 s between two probes, a silent server is noticed within 10 s. */
const PROBE_ANSWER_MS = 4_000;

/** A connection over gRPC, through the raw calls of etcd3. */
export class GrpcLink implements EtcdLink {
  readonly url: string;
  readonly #client: EtcdClient;
  readonly #keyPrefix: string;
  readonly #scheduler: SchedulerLike;

  constructor(client: EtcdClient, keyPrefix: string, scheduler: SchedulerLike) {
    this.url = client.url;
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
            entries: listing.entries.concat(kvs.flatMap((kv) => keyPutOf(kv, this.#keyPrefix) ?? [])),
          }),
          { revision: 0n, entries: [] },
        ),
        told(this.url, `listing ${prefix}`),
      );
    });
  }

  watch(prefix: string, watchFrom: bigint): Observable<WatchAnswer> {
    const request = { ...this.#rangeOf(prefix), start_revision: watchFrom.toString() };
    return requestStream(() => this.#client.watch.watch(), { create_request: request }).pipe(
      mergeMap((answer) => this.#watchAnswers(answer)),
      told(this.url, `watching ${prefix}`),
    );
  }

  probe(): Observable<never> {
    const { key } = this.#rangeOf('');
    return this.#range({ key, count_only: true }, PROBE_ANSWER_MS).pipe(
      ignoreElements(),
      told(this.url, 'asking whether it is there'),
      // A refusal is an answer: etcd looks at permissions after it has made sure of its majority.
      catchError((error: unknown) =>
        error instanceof EtcdTrouble && error.code === 'etcd-permission' ? EMPTY : throwError(() => error),
      ),
    );
  }

  #range(request: IRangeRequest, withinMs: number): Observable<IRangeResponse> {
    return unaryCall(this.#client, () => this.#client.kv.range(request), withinMs, this.#scheduler);
  }

  #watchAnswers({
    created,
    canceled,
    compact_revision,
    cancel_reason,
    events,
  }: IWatchResponse): WatchAnswer[] {
    if (canceled && compact_revision !== '0')
      return [{ kind: 'compacted', oldest: BigInt(compact_revision) }];
    if (canceled) throw new Error(cancel_reason === '' ? 'the server ended the watch' : cancel_reason);
    if (created) return [{ kind: 'created' }];
    // A progress notice has no events and, in some releases, a wrong revision.
    if (events.length === 0) return [];
    return [
      { kind: 'changes', changes: events.flatMap((event) => keyChangeOf(event, this.#keyPrefix) ?? []) },
    ];
  }

  #rangeOf(prefix: string): KeyRange {
    return keyRange(this.#keyPrefix + prefix);
  }
}
