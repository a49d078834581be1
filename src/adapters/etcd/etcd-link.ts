import type { Observable } from 'rxjs';
import type { Listing } from './listing.js';
import type { KeyChange } from './prefix-batch.js';

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

/** One connection to one server, to be used up and thrown away. Everything on it errors with `EtcdTrouble`. */
export interface EtcdLink {
  readonly url: string;
  /** All keys below a prefix: one value. It is the state that a majority of the servers agrees on. */
  readonly list: (prefix: string, options?: ListOptions) => Observable<Listing>;
  /** Changes below a prefix from a revision on. Never completes. */
  readonly watch: (prefix: string, from: bigint) => Observable<WatchAnswer>;
  /** Completes when the server answers and has a majority behind it. */
  readonly probe: () => Observable<never>;
}
