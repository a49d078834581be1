import type { Observable } from 'rxjs';
import type { WorkerId } from '../../core/worker-id.js';

/** A key to write. */
export interface KeyEntry {
  readonly key: string;
  readonly value: Uint8Array;
}

/** A key that was written. */
export interface KeyPut {
  readonly kind: 'put';
  readonly key: string;
  readonly value: Uint8Array;
  /** The lease of the key, a decimal string; `0` means none. */
  readonly lease: WorkerId;
  /** The revision that wrote this value, a decimal string. */
  readonly modRevision: string;
  /** The revision that created the key, a decimal string. If it differs from before, the key was removed in between. */
  readonly createRevision: string;
}

/** A key that was removed, or expired with its lease. */
export interface KeyDelete {
  readonly kind: 'delete';
  readonly key: string;
  /** The revision that removed it, a decimal string. If the removal was not seen: the revision at which it was noticed. */
  readonly modRevision: string;
}

/** A change of one key. */
export type KeyChange = KeyPut | KeyDelete;

/**
 * Changes below watched prefixes that belong together. A consumer should apply a batch as one step.
 *
 * - `snapshot`: all existing keys, as puts. It replaces what was known. Every subscriber gets one first.
 * - `changes`: all changes since the previous batch, in order and complete.
 * - `resync`: the difference between the known and the current keys, after history was lost (compaction, a store that
 *   was replaced or restored, an event that the server never sent). Values in between may be missing.
 */
export interface PrefixBatch {
  readonly kind: 'snapshot' | 'changes' | 'resync';
  /**
   * The revision of the store that the batch shows, a decimal string: that of the listing, or of the last change. Each
   * prefix has its own watch, so the next batch may have a lower one if its changes are below another prefix.
   */
  readonly revision: string;
  /** In a resync, a key that was removed and created again is a delete followed by a put. */
  readonly changes: readonly KeyChange[];
}

/** All keys below a prefix at one revision of the store. */
export interface Listing {
  readonly revision: bigint;
  /** In a listing of keys only, the values are empty. */
  readonly entries: readonly KeyPut[];
}

/**
 * An answer of a watch: it was created, keys changed, or its first revision has been compacted, with the oldest
 * revision that is still available.
 */
export type WatchAnswer =
  | { readonly kind: 'created' }
  | { readonly kind: 'changes'; readonly changes: readonly KeyChange[] }
  | { readonly kind: 'compacted'; readonly oldest: bigint };

/** Options for a listing. */
export interface ListOptions {
  /** List the store as of this revision. Defaults to the current one. */
  readonly revision?: bigint;
  readonly keysOnly?: boolean;
}

/** One connection to one server. It is used for one session, and all its calls error with `EtcdError`. */
export interface EtcdLink {
  readonly url: string;
  /** Precedes every key in the store, and is not part of the prefixes and keys here. */
  readonly keyPrefix: string;
  /** Emits all keys below a prefix once, in a state that a majority of the servers agrees on. */
  readonly list: (prefix: string, options?: ListOptions) => Observable<Listing>;
  /** Emits `created`, then changes below a prefix, beginning with a revision. Never completes. */
  readonly watch: (prefix: string, from: bigint) => Observable<WatchAnswer>;
  /** Completes when the server answers and belongs to a majority. */
  readonly probe: () => Observable<never>;
}
