import type { Observable } from 'rxjs';
import type { WorkerId } from '../../core/worker-id.js';

/** A key that was written. */
export interface KeyPut {
  readonly kind: 'put';
  readonly key: string;
  readonly value: Uint8Array;
  /** The lease that the key lives by, a decimal string; `0` is none. */
  readonly lease: WorkerId;
  /** The revision of the store that wrote this value, a decimal string. */
  readonly modRevision: string;
  /** The revision that created the key, a decimal string: another one than before means that it was gone between. */
  readonly createRevision: string;
}

/** A key that is gone: removed, or expired with its lease. */
export interface KeyDelete {
  readonly kind: 'delete';
  readonly key: string;
  /** The revision that removed it, a decimal string; where it went unseen, the revision that it was missed at. */
  readonly modRevision: string;
}

/** What happened to one key. */
export type KeyChange = KeyPut | KeyDelete;

/**
 * Changes below watched prefixes that belong together. A consumer takes a batch as one step, so that nobody sees
 * half of it.
 *
 * - `snapshot`: the changes are all keys there are, as puts, and replace what was known. Every subscriber gets one
 *   first.
 * - `changes`: what happened since the batch before, in order, nothing left out.
 * - `resync`: the difference between what was known and what is there, after history was lost (compacted away, the
 *   store replaced or restored, an event that the server never sent). Values in between may be missing.
 */
export interface PrefixBatch {
  readonly kind: 'snapshot' | 'changes' | 'resync';
  /** In a resync, a key that was removed and made again unseen is a delete followed by a put. */
  readonly changes: readonly KeyChange[];
}

/** What is below a prefix at one revision of the store. */
export interface Listing {
  readonly revision: bigint;
  /** The values are empty in a listing of keys only. */
  readonly entries: readonly KeyPut[];
}

/**
 * What a watch says: that it stands, what happened, or that the revision it should begin at is compacted away, and
 * which is the oldest that is not.
 */
export type WatchAnswer =
  | { readonly kind: 'created' }
  | { readonly kind: 'changes'; readonly changes: readonly KeyChange[] }
  | { readonly kind: 'compacted'; readonly oldest: bigint };

/** How to list. */
export interface ListOptions {
  /** The state of the store at this revision; the present one when absent. */
  readonly revision?: bigint;
  readonly keysOnly?: boolean;
}

/** One connection to one server, to be used up and thrown away. Everything on it errors with `EtcdError`. */
export interface EtcdLink {
  readonly url: string;
  /** All keys below a prefix: one value. It is the state that a majority of the servers agrees on. */
  readonly list: (prefix: string, options?: ListOptions) => Observable<Listing>;
  /** Changes below a prefix from a revision on. Never completes. */
  readonly watch: (prefix: string, from: bigint) => Observable<WatchAnswer>;
  /** Completes when the server answers and has a majority behind it. */
  readonly probe: () => Observable<never>;
}
