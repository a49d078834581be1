import { type Observable, Subject, defer, merge, of } from 'rxjs';
import type { WorkerId } from '../worker-id.js';
import { type SourceStatus, liveStatus } from './source-status.js';

/** One key of a store that was written or removed. */
export interface KeyChange {
  readonly key: string;
  /** The value that was written, which may be empty. Absent: the key was removed, or expired with its lease. */
  readonly value?: Uint8Array | undefined;
  /** The lease of the key, a decimal number. `0` and absent mean none. */
  readonly lease?: WorkerId | undefined;
}

/**
 * Changes of keys that belong together. A consumer applies a batch as one step.
 *
 * - `snapshot`: all existing keys. It replaces what was known. Every subscriber gets one first.
 * - `changes`: all changes since the previous batch, in order and complete.
 * - `resync`: the difference between the known and the current keys, after history was lost. Values in between may be
 *   missing.
 */
export interface KeyBatch {
  readonly kind: 'snapshot' | 'changes' | 'resync';
  /**
   * The revision of the store that the batch shows, a decimal number: that of the listing, or of the last change. Below one
   * prefix of one store it never decreases.
   */
  readonly revision: string;
  /** A key that was removed and written again is a removal followed by a write. */
  readonly changes: readonly KeyChange[];
}

/**
 * A store of keys that is watched: what a discovery backend provides.
 *
 * 1. All subscriptions to both outputs share one watch, from the first subscription to the last.
 * 2. `changes$` gives every subscriber a snapshot first, and then every change.
 * 3. Neither output errors. A failure is a status with the reason.
 */
export interface KeySource {
  /** Batches of changes, beginning with a snapshot. */
  readonly changes$: Observable<KeyBatch>;
  /** The status of the watch, beginning with the current one. */
  readonly status$: Observable<SourceStatus>;
}

/**
 * Keys in memory, as a {@link KeySource}: for tests, for simulated fleets, and for a program that knows its workers
 * itself.
 *
 * 1. It is always live. Each call of {@link apply} is one batch with its own revision.
 * 2. A subscriber gets a snapshot of the keys as they are, and then every batch.
 *
 * @example
 * ```ts
 * import { MemoryKeys } from 'tidemark';
 *
 * const keys = new MemoryKeys();
 * keys.put('a', new Uint8Array([1]));
 * keys.changes$.subscribe(({ kind, revision, changes }) => console.log(kind, revision, changes.length));
 * keys.delete('a');
 * // Logs: snapshot 1 1
 * // Logs: changes 2 1
 * ```
 *
 * @see {@link MemoryMessages}
 */
export class MemoryKeys implements KeySource {
  readonly changes$: Observable<KeyBatch>;
  readonly status$: Observable<SourceStatus>;
  readonly #batches$ = new Subject<KeyBatch>();
  readonly #keys = new Map<string, KeyChange>();
  #revision = 0;

  /** @param name the name of the source in the status; `keys` when absent */
  constructor(name = 'keys') {
    const snapshot$ = defer(() =>
      of<KeyBatch>({ kind: 'snapshot', revision: `${this.#revision}`, changes: [...this.#keys.values()] }),
    );
    // Subscribed in this order, so that a write that the snapshot causes is not lost.
    this.changes$ = merge(this.#batches$, snapshot$);
    this.status$ = liveStatus(name);
  }

  /** Writes a key. */
  put(key: string, value: Uint8Array): void {
    this.apply([{ key, value }]);
  }

  /** Removes a key. */
  delete(key: string): void {
    this.apply([{ key }]);
  }

  /** Applies changes as one batch. */
  apply(changes: readonly KeyChange[]): void {
    for (const change of changes) {
      if (change.value === undefined) this.#keys.delete(change.key);
      else this.#keys.set(change.key, change);
    }
    this.#revision += 1;
    this.#batches$.next({ kind: 'changes', revision: `${this.#revision}`, changes });
  }
}
