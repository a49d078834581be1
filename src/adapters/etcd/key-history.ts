import type { KeyChange, KeyPut, Listing, PrefixBatch } from './etcd-link.js';

/** The first revision of a watch, and what to report before it. */
export interface Attachment {
  /** The difference between the known keys and the listing; `null` if the watch replays it. */
  readonly changes: readonly KeyChange[] | null;
  readonly watchFrom: bigint;
}

interface Known {
  readonly modRevision: string;
  readonly createRevision: string;
}

/**
 * The known state of the keys below one prefix, across any number of connections. It ensures that every change is
 * reported exactly once and in order.
 *
 * 1. {@link attach} begins a connection with a listing. The first listing is reported completely. Later, the watch
 *    resumes after the last known revision, so that the server replays missed changes. If the listing contradicts the
 *    known state (the store was replaced or restored), or history was {@link lose lost}, the difference is reported.
 * 2. {@link advance} takes the changes of the watch and filters out those that have been reported already.
 * 3. {@link expect} records what a listing shows and the history does not. {@link isBehind} until the watch or an audit
 *    has reported it.
 * 4. An audit compares listings with the known state, by the revision of each key's last change. {@link suspect} finds
 *    keys that differ, perhaps only because the watch is late. {@link confirm} keeps those that did not change in the
 *    meantime. {@link mend} reports them as a resync.
 *
 * etcd numbers every change of the store. The numbers only increase, unless the store is replaced.
 */
export class KeyHistory {
  readonly #known = new Map<string, Known>();
  /** The revisions of removals by key: an earlier listing may still contain these keys. */
  readonly #removed = new Map<string, bigint>();
  #revision: bigint | null = null;
  /** The newest revision reported, which may be newer than the watch because of an audit. */
  #newest = 0n;
  #lost = false;
  /** The oldest revision that was available when history was lost. */
  #oldest: bigint | null = null;
  /** Keys that an audit suspects, each with its state at that moment. */
  #suspects = new Map<string, string>();
  /** Keys that the watch has yet to report, each with the first revision that is recent enough. */
  #expected = new Map<string, bigint>();

  constructor(readonly prefix: string) {}

  /** The watch has reported everything up to this revision; `null` before the first listing. */
  get revision(): bigint | null {
    return this.#revision;
  }

  /** Whether something is missing that {@link expect} has seen. */
  get isBehind(): boolean {
    return this.#expected.size > 0;
  }

  /** Begins a connection. */
  attach(listing: Listing): Attachment {
    const last = this.#revision;
    if (last !== null && !this.#lost && !this.#contradicts(listing, last))
      return { changes: null, watchFrom: last + 1n };
    this.#newest = 0n;
    const changes = this.#differences(listing, null);
    this.#revision = listing.revision;
    this.#lost = false;
    this.#removed.clear();
    return { changes, watchFrom: listing.revision + 1n };
  }

  /** Records what the watch has to report until the known state is at least as recent as a listing. */
  expect(listing: Listing): void {
    const listed = new Map(listing.entries.map(({ key, modRevision }) => [key, BigInt(modRevision)]));
    this.#expected = new Map();
    for (const key of this.#doubts(listing).keys())
      this.#expected.set(key, listed.get(key) ?? this.#changedAt(key) + 1n);
  }

  /** Records that history was lost up to a revision: the next connection reports the difference. */
  lose(oldest: bigint | null = null): void {
    this.#lost = true;
    this.#oldest = oldest;
  }

  /** The revision to list so that as little history as possible is lost; `null` means the current one. Works once. */
  takeOldest(current: bigint): bigint | null {
    const oldest = this.#oldest;
    this.#oldest = null;
    // An older listing must not undo what an audit has reported.
    return oldest !== null && oldest >= this.#newest && oldest <= current ? oldest : null;
  }

  /** The changes that have not been reported yet; `null` if there are none. A revision must be complete. */
  advance(changes: readonly KeyChange[]): PrefixBatch | null {
    const fresh = changes.filter((change) => this.#accept(change));
    for (const { key, modRevision } of changes) {
      const revision = BigInt(modRevision);
      const expected = this.#expected.get(key);
      if (expected !== undefined && revision >= expected) this.#expected.delete(key);
      if (this.#revision === null || revision > this.#revision) this.#revision = revision;
      if (revision > this.#newest) this.#newest = revision;
    }
    const last = changes.at(-1)?.modRevision;
    return fresh.length === 0 || last === undefined
      ? null
      : { kind: 'changes', revision: last, changes: fresh };
  }

  /** Whether the listing is older than the reported state: the store went back in time, which no watch reports. */
  isAheadOf(listing: Listing): boolean {
    return listing.revision < this.#newest;
  }

  /** Compares a listing with the known state. Returns whether any key differs. */
  suspect(listing: Listing): boolean {
    this.#suspects = this.#doubts(listing);
    if (this.#suspects.size === 0) this.#expected.clear();
    return this.#suspects.size > 0;
  }

  /** Compares a later listing. Returns whether any suspected key still differs and has not changed in the meantime. */
  confirm(listing: Listing): boolean {
    const still = this.#doubts(listing);
    for (const [key, known] of this.#suspects) if (still.get(key) !== known) this.#suspects.delete(key);
    return this.#suspects.size > 0;
  }

  /** Takes over the suspected keys from an even later listing. Returns `null` if the watch has reported them by now. */
  mend(listing: Listing): PrefixBatch | null {
    const changes = this.#differences(listing, new Set(this.#suspects.keys()));
    for (const key of this.#suspects.keys()) this.#expected.delete(key);
    this.#suspects = new Map();
    return changes.length === 0 ? null : { kind: 'resync', revision: listing.revision.toString(), changes };
  }

  /** The keys that differ from a listing, each with its known state. */
  #doubts({ revision, entries }: Listing): Map<string, string> {
    const doubts = new Map<string, string>();
    const listed = new Set<string>();
    for (const { key, modRevision } of entries) {
      listed.add(key);
      if (this.#isNewer(key, BigInt(modRevision))) doubts.set(key, this.#stateOf(key));
    }
    for (const [key, { modRevision }] of this.#known) {
      if (!listed.has(key) && BigInt(modRevision) <= revision) doubts.set(key, this.#stateOf(key));
    }
    // A later listing cannot contain a key that was removed before this one.
    for (const [key, removed] of this.#removed) if (removed <= revision) this.#removed.delete(key);
    return doubts;
  }

  /** Whether the listing cannot come from the same store as the known state. */
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

  /** Takes over a listing, completely or for some keys, and returns the changes. The listing wins. */
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
      const isNew =
        only === null
          ? this.#known.get(entry.key)?.modRevision !== entry.modRevision
          : this.#isNewer(entry.key, BigInt(entry.modRevision));
      if (!isNew) continue;
      this.#remember(entry);
      changes.push(entry);
    }
    return changes;
  }

  #accept(change: KeyChange): boolean {
    if (!this.#isNewer(change.key, BigInt(change.modRevision))) return false;
    if (change.kind === 'put') {
      this.#remember(change);
      return true;
    }
    this.#removed.set(change.key, BigInt(change.modRevision));
    return this.#known.delete(change.key);
  }

  /** Values are not stored, because they may be large. */
  #remember({ key, modRevision, createRevision }: KeyPut): void {
    this.#known.set(key, { modRevision, createRevision });
    this.#removed.delete(key);
  }

  #isNewer(key: string, modRevision: bigint): boolean {
    return modRevision > this.#changedAt(key);
  }

  /** The revision of the last reported change of a key; -1 if there is none. */
  #changedAt(key: string): bigint {
    const known = this.#known.get(key);
    return known === undefined ? (this.#removed.get(key) ?? -1n) : BigInt(known.modRevision);
  }

  #stateOf(key: string): string {
    return this.#known.get(key)?.modRevision ?? 'none';
  }
}
