import type { WorkerId } from './worker-id.js';

/**
 * The busy workers at one moment. Immutable for ever.
 *
 * 1. `version` grows by one with every set that differs from the one before; it is 0 for the first, empty set.
 * 2. `added` and `removed` are the differences from the version before, in ascending order of ids.
 * 3. `has` and `size` cost the same whatever the size, for the newest version. An older one pays for the changes
 *    since it was made, once, when it is first asked.
 * 4. Iteration is in ascending order of ids.
 */
export interface BusySet extends Iterable<WorkerId> {
  readonly version: number;
  readonly size: number;
  readonly added: readonly WorkerId[];
  readonly removed: readonly WorkerId[];
  has(workerId: WorkerId): boolean;
  /** The same ids as a Set, made on first use and kept. */
  toSet(): ReadonlySet<WorkerId>;
}
