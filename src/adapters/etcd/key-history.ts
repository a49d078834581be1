import type { KeyChange, KeyPut, Listing, PrefixBatch } from './etcd-link.js';

/** Where a watch has to go on, and what has to be told before it does. */
export interface Attachment {
  readonly batch: PrefixBatch | null;
  readonly watchFrom: bigint;
}

interface Known {
  readonly modRevision: string;
  readonly createRevision: string;
}

/**
 * What has been told of the keys below one prefix, across any number of connections: the part that makes sure that
 * nothing is told twice, out of order, or never.
 *
 * 1. {@link attach} begins a connection with a listing. The first time, everything in it is a snapshot. Later the
 *    watch goes on where it was, so that the server replays what was missed; unless the listing contradicts what
 *    is known (the store was replaced or restored), or history was {@link lose lost}: then the difference is told
 *    as a resync.
 * 2. {@link advance} takes what the watch delivered, and leaves out what has been told already.
 * 3. An audit compares listings made beside the watch with what is known, by the revision of each key's last
 *    change. {@link suspect} is a reason to look again, for the watch may only be late; {@link confirm} leaves the
 *    keys of which nothing was heard meanwhile; {@link mend} tells them as a resync.
 *
 * etcd numbers every change of the store; numbers only grow, unless the store itself is replaced.
 */
export class KeyHistory {
  readonly #known = new Map<string, Known>();
  /** Removed keys, by the revision of the removal: a listing made earlier may still show them. */
  readonly #removed = new Map<string, bigint>();
  /** Up to here the watch has told everything; `null` before the first listing. */
  #revision: bigint | null = null;
  /** The newest revision that anything was told of: an audit may have been ahead of the watch. */
  #newest = 0n;
  #lost = false;
  /** The oldest revision that the store still had when history was lost. */
  #oldest: bigint | null = null;
  /** Keys that an audit doubts, each with what was known of it then. */
  #suspects = new Map<string, string>();

  constructor(readonly prefix: string) {}

  /** Begins a connection. */
  attach(listing: Listing): Attachment {
    const last = this.#revision;
    if (last !== null && !this.#lost && !this.#contradicts(listing, last))
      return { batch: null, watchFrom: last + 1n };
    this.#newest = 0n;
    const changes = this.#differences(listing, null);
    this.#revision = listing.revision;
    this.#lost = false;
    this.#removed.clear();
    return {
      batch: { kind: last === null ? 'snapshot' : 'resync', changes },
      watchFrom: listing.revision + 1n,
    };
  }

  /** What could have been replayed is gone up to a revision: the next connection tells the difference instead. */
  lose(oldest: bigint | null = null): void {
    this.#lost = true;
    this.#oldest = oldest;
  }

  /** The revision to list at so that least is lost, `null` for the present. Once only: it may be gone by then. */
  takeOldest(present: bigint): bigint | null {
    const oldest = this.#oldest;
    this.#oldest = null;
    // What an audit has told already must not be taken back by an older listing.
    return oldest !== null && oldest >= this.#newest && oldest <= present ? oldest : null;
  }

  /** The changes that have not been told; `null` when there are none. A revision comes whole. */
  advance(changes: readonly KeyChange[]): PrefixBatch | null {
    const fresh = changes.filter((change) => this.#tell(change));
    for (const { modRevision } of changes) {
      const revision = BigInt(modRevision);
      if (this.#revision === null || revision > this.#revision) this.#revision = revision;
      if (revision > this.#newest) this.#newest = revision;
    }
    return fresh.length === 0 ? null : { kind: 'changes', changes: fresh };
  }

  /** Whether the listing is older than what was told: the store has gone back in time, which no watch tells. */
  isAheadOf(listing: Listing): boolean {
    return listing.revision < this.#newest;
  }

  /** Compares a listing made beside the watch: whether it shows keys otherwise than they are known. */
  suspect(listing: Listing): boolean {
    this.#suspects = this.#doubts(listing);
    return this.#suspects.size > 0;
  }

  /** Compares a later one: whether keys are still in doubt of which nothing was heard in between. */
  confirm(listing: Listing): boolean {
    const still = this.#doubts(listing);
    for (const [key, known] of this.#suspects) if (still.get(key) !== known) this.#suspects.delete(key);
    return this.#suspects.size > 0;
  }

  /** Settles the keys in doubt by a listing made after both; `null` when the watch has settled them itself. */
  mend(listing: Listing): PrefixBatch | null {
    const changes = this.#differences(listing, new Set(this.#suspects.keys()));
    this.#suspects = new Map();
    return changes.length === 0 ? null : { kind: 'resync', changes };
  }

  /** The keys in doubt, each with what is known of it. */
  #doubts({ revision, entries }: Listing): Map<string, string> {
    const doubts = new Map<string, string>();
    const listed = new Set<string>();
    for (const { key, modRevision } of entries) {
      listed.add(key);
      if (this.#isNews(key, BigInt(modRevision))) doubts.set(key, this.#stateOf(key));
    }
    for (const [key, { modRevision }] of this.#known) {
      if (!listed.has(key) && BigInt(modRevision) <= revision) doubts.set(key, this.#stateOf(key));
    }
    // What was removed before this listing cannot be in a later one.
    for (const [key, removed] of this.#removed) if (removed <= revision) this.#removed.delete(key);
    return doubts;
  }

  /** Whether the listing cannot be of the store that told what is known. */
  #contradicts(listing: Listing, last: bigint): boolean {
    return (
      this.isAheadOf(listing) ||
      listing.entries.some(({ key, modRevision }) => {
        const revision = BigInt(modRevision);
        return (
          revision < this.#changedAt(key) ||
          (revision <= last && this.#known.get(key)?.modRevision !== modRevision)
        );
      })
    );
  }

  /** Takes a listing over, all of it or some keys, and says what is new. The listing wins over what is known. */
  #differences({ revision, entries }: Listing, only: ReadonlySet<string> | null): KeyChange[] {
    if (revision > this.#newest) this.#newest = revision;
    const changes: KeyChange[] = [];
    const listed = new Map<string, KeyPut>();
    for (const entry of entries) if (only?.has(entry.key) ?? true) listed.set(entry.key, entry);
    for (const key of only ?? this.#known.keys()) {
      const known = this.#known.get(key);
      const entry = listed.get(key);
      if (known === undefined || (only !== null && BigInt(known.modRevision) > revision)) continue;
      if (entry?.createRevision === known.createRevision) continue;
      changes.push({ kind: 'delete', key, modRevision: (entry?.createRevision ?? revision).toString() });
      this.#known.delete(key);
      if (entry === undefined) this.#removed.set(key, revision);
    }
    for (const entry of listed.values()) {
      const news =
        only === null
          ? this.#known.get(entry.key)?.modRevision !== entry.modRevision
          : this.#isNews(entry.key, BigInt(entry.modRevision));
      if (!news) continue;
      this.#remember(entry);
      changes.push(entry);
    }
    return changes;
  }

  #tell(change: KeyChange): boolean {
    if (!this.#isNews(change.key, BigInt(change.modRevision))) return false;
    if (change.kind === 'put') {
      this.#remember(change);
      return true;
    }
    this.#removed.set(change.key, BigInt(change.modRevision));
    return this.#known.delete(change.key);
  }

  /** Values are not kept: they are the consumer's, and may be large. */
  #remember({ key, modRevision, createRevision }: KeyPut): void {
    this.#known.set(key, { modRevision, createRevision });
    this.#removed.delete(key);
  }

  #isNews(key: string, modRevision: bigint): boolean {
    return modRevision > this.#changedAt(key);
  }

  /** The revision of the last change of a key that was told; -1 for none. */
  #changedAt(key: string): bigint {
    const known = this.#known.get(key);
    return known === undefined ? (this.#removed.get(key) ?? -1n) : BigInt(known.modRevision);
  }

  #stateOf(key: string): string {
    return this.#known.get(key)?.modRevision ?? 'none';
  }
}
