import type { IEvent, IKeyValue, IRangeRequest, IRangeResponse, IWatchResponse } from 'etcd3';
import {
  EMPTY,
  type Observable,
  type SchedulerLike,
  catchError,
  defer,
  expand,
  ignoreElements,
  mergeMap,
  reduce,
  throwError,
} from 'rxjs';
import { TidemarkError } from '../../core/errors.js';
import type { WorkerId } from '../../core/worker-id.js';
import { answerWithin } from '../../operators/answer-within.js';
import type { EtcdClient } from './etcd-client.js';
import { MAX_ANSWER_MS, requestStream, unaryCall } from './etcd-connection.js';
import { hasEtcdCode, mapEtcdError } from './etcd-error.js';
import type { EtcdLink, KeyChange, KeyPut, ListOptions, Listing, WatchAnswer } from './etcd-link.js';

/** The keys that begin with a prefix, as a range of etcd: from the first key up to the first one beyond them. */
export interface KeyRange {
  readonly key: Buffer;
  readonly range_end: Buffer;
}

const FIRST = Buffer.of(0);

/** The range of a prefix; an empty prefix means all keys. */
export function keyRange(prefix: string): KeyRange {
  const key = Buffer.from(prefix);
  const end = Buffer.from(prefix);
  for (let at = end.length - 1; at >= 0; at -= 1) {
    const byte = end[at] ?? 0;
    if (byte === 0xff) continue;
    end[at] = byte + 1;
    return { key, range_end: end.subarray(0, at + 1) };
  }
  return { key: key.length === 0 ? FIRST : key, range_end: FIRST };
}

/** The rest of a range after one of its keys. */
export function rangeAfter({ range_end }: KeyRange, last: Buffer): KeyRange {
  return { key: Buffer.concat([last, FIRST]), range_end };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Converts a key of etcd, without the prefix of the options. Returns `null` if the key is not valid UTF-8, because no
 * string represents it and a lossy one may equal another key.
 */
function toKeyPut(kv: IKeyValue, keyPrefix: string): KeyPut | null {
  const key = keyOf(kv, keyPrefix);
  if (key === null) return null;
  return {
    kind: 'put',
    key,
    value: kv.value,
    // A lease id is a positive number, so its text is a valid worker id.
    lease: kv.lease as WorkerId,
    modRevision: kv.mod_revision,
    createRevision: kv.create_revision,
  };
}

/** Converts an event of a watch; `null` as for {@link toKeyPut}. */
function toKeyChange({ type, kv }: IEvent, keyPrefix: string): KeyChange | null {
  // The declared type names differ in case from those on the wire.
  if (type.toUpperCase() !== 'DELETE') return toKeyPut(kv, keyPrefix);
  const key = keyOf(kv, keyPrefix);
  return key === null ? null : { kind: 'delete', key, modRevision: kv.mod_revision };
}

function keyOf({ key }: IKeyValue, keyPrefix: string): string | null {
  try {
    return utf8.decode(key).slice(keyPrefix.length);
  } catch {
    return null;
  }
}

/** The maximum number of keys in one answer of a listing, and its time limit. */
const PAGE_KEYS = 1_000;
const PAGE_MS = 10_000;
/** Together with the 5 s between probes, a silent server is noticed within 10 s. */
const PROBE_ANSWER_MS = 4_000;

/** A connection over gRPC that uses the raw calls of etcd3. */
export class GrpcLink implements EtcdLink {
  readonly url: string;
  readonly keyPrefix: string;
  readonly #client: EtcdClient;
  readonly #scheduler: SchedulerLike;

  constructor(client: EtcdClient, keyPrefix: string, scheduler: SchedulerLike) {
    this.url = client.url;
    this.#client = client;
    this.keyPrefix = keyPrefix;
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
      // All pages show the revision of the first one.
      let listedRevision = revision;
      return page(range, revision).pipe(
        expand(({ header, more, kvs }) => {
          listedRevision ??= BigInt(header.revision);
          const last = kvs.at(-1);
          return more && last !== undefined ? page(rangeAfter(range, last.key), listedRevision) : EMPTY;
        }),
        reduce(
          (listing: Listing, { header, kvs }) => ({
            revision: listedRevision ?? BigInt(header.revision),
            entries: listing.entries.concat(kvs.flatMap((kv) => toKeyPut(kv, this.keyPrefix) ?? [])),
          }),
          { revision: 0n, entries: [] },
        ),
        mapEtcdError(this.url, `listing ${this.keyPrefix}${prefix}`),
      );
    });
  }

  watch(prefix: string, watchFrom: bigint): Observable<WatchAnswer> {
    const request = { ...this.#rangeOf(prefix), start_revision: watchFrom.toString() };
    return requestStream(() => this.#client.watch.watch(), { create_request: request }).pipe(
      answerWithin(MAX_ANSWER_MS, this.#scheduler),
      mergeMap((answer) => this.#watchAnswers(answer)),
      mapEtcdError(this.url, `watching ${this.keyPrefix}${prefix}`),
    );
  }

  probe(): Observable<never> {
    const { key } = this.#rangeOf('');
    return this.#range({ key, count_only: true }, PROBE_ANSWER_MS).pipe(
      ignoreElements(),
      mapEtcdError(this.url, 'probing'),
      // A refusal is an answer: etcd checks permissions after it has confirmed its majority.
      catchError((error: unknown) =>
        hasEtcdCode(error, 'etcd-permission') ? EMPTY : throwError(() => error),
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
    if (canceled)
      throw new TidemarkError(
        'etcd-failed',
        cancel_reason === '' ? 'the server ended the watch' : cancel_reason,
      );
    if (created) return [{ kind: 'created' }];
    // A progress notice has no events and, in some releases, a wrong revision.
    if (events.length === 0) return [];
    return [
      { kind: 'changes', changes: events.flatMap((event) => toKeyChange(event, this.keyPrefix) ?? []) },
    ];
  }

  #rangeOf(prefix: string): KeyRange {
    return keyRange(this.keyPrefix + prefix);
  }
}
