import type { KeyChange, KeyPut, Listing } from '../../../src/adapters/etcd/etcd-link.js';
import { workerId } from '../../../src/core/worker-id.js';

const none = workerId('0');

/** An etcd reduced to what its numbers mean: revisions, a history that can be compacted, a store that can be replaced. */
export class EtcdModel {
  revision = 1n;
  /** Older history has been compacted. */
  compacted = 0n;
  readonly keys = new Map<string, KeyPut>();
  history: KeyChange[] = [];

  put(key: string, value: string): void {
    this.revision += 1n;
    const modRevision = this.revision.toString();
    const createRevision = this.keys.get(key)?.createRevision ?? modRevision;
    const put: KeyPut = {
      kind: 'put',
      key,
      value: new TextEncoder().encode(value),
      lease: none,
      modRevision,
      createRevision,
    };
    this.keys.set(key, put);
    this.history.push(put);
  }

  delete(key: string): void {
    if (!this.keys.delete(key)) return;
    this.revision += 1n;
    this.history.push({ kind: 'delete', key, modRevision: this.revision.toString() });
  }

  /** Removes a key without a trace in the history, as etcd 3.4 does when it compacts at that very revision. */
  deleteUnseen(key: string): void {
    if (!this.keys.has(key)) return;
    this.delete(key);
    this.history = this.history.filter(({ modRevision }) => BigInt(modRevision) < this.revision);
  }

  compact(): void {
    this.compacted = this.revision;
  }

  /** Replaces the store with an empty one, whose revisions restart. */
  replace(puts: readonly string[]): void {
    this.revision = 1n;
    this.compacted = 0n;
    this.keys.clear();
    this.history = [];
    for (const key of puts) this.put(key, 'other');
  }

  /** The present keys, or those at a revision. */
  list(at = this.revision): Listing {
    if (at === this.revision) return { revision: at, entries: [...this.keys.values()] };
    const then = new Map<string, KeyPut>();
    for (const change of this.history) {
      if (BigInt(change.modRevision) > at) break;
      if (change.kind === 'put') then.set(change.key, change);
      else then.delete(change.key);
    }
    return { revision: at, entries: [...then.values()] };
  }

  /** What a watch from a revision on would deliver; `null` when that is compacted away. */
  since(revision: bigint): KeyChange[] | null {
    if (revision < this.compacted) return null;
    return this.history.filter(({ modRevision }) => BigInt(modRevision) >= revision);
  }
}
