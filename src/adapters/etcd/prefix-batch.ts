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
