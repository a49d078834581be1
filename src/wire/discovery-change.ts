import type { WorkerId } from '../core/worker-id.js';

/** One key of a discovery store that was written, or is gone. */
export interface DiscoveryChange {
  readonly key: string;
  /** What was written, an empty value included. Absent: the key is gone. */
  readonly value?: Uint8Array | undefined;
  /** The etcd lease of the key; `0` is none, as in etcd. */
  readonly lease?: WorkerId | undefined;
}

/**
 * Changes of a discovery store that belong together. A `snapshot` is all there is and replaces what was known;
 * `changes` and a `resync` are what is different, and after a resync it may be much.
 */
export interface DiscoveryBatch {
  readonly kind: 'snapshot' | 'changes' | 'resync';
  readonly changes: readonly DiscoveryChange[];
}
