import type { KeyPut } from './prefix-batch.js';

/** What is below a prefix at one revision of the store. */
export interface Listing {
  readonly revision: bigint;
  /** The values are empty in a listing of keys only. */
  readonly entries: readonly KeyPut[];
}
