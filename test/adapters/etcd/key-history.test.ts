import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Listing, PrefixBatch } from '../../../src/adapters/etcd/etcd-link.js';
import { KeyHistory } from '../../../src/adapters/etcd/key-history.js';
import { runs } from '../../support/runs.js';
import { EtcdModel } from './etcd-model.js';

/** Follows a store through a history and records the reported changes. */
class Follower {
  readonly history = new KeyHistory('');
  readonly seen = new Map<string, string>();
  readonly batches: PrefixBatch[] = [];
  /** The listing when it last attached. */
  attachedTo: Listing = { revision: 0n, entries: [] };
  #next = 0n;

  constructor(readonly store: EtcdModel) {}

  attach(): void {
    const oldest = this.history.takeOldest(this.store.revision);
    const kind = this.history.revision === null ? 'snapshot' : 'resync';
    const listing = this.store.list(oldest ?? this.store.revision);
    const { changes, watchFrom } = this.history.attach(listing);
    this.attachedTo = this.store.list();
    this.history.expect(this.attachedTo);
    if (changes !== null) this.#take({ kind, revision: `${listing.revision}`, changes });
    this.#next = watchFrom;
  }

  /** Reads at most `count` changes from the watch. */
  read(atMost = Infinity): void {
    const changes = this.store.since(this.#next);
    if (changes === null) {
      this.history.lose(this.store.compacted);
      this.attach();
      return this.read(atMost);
    }
    const some = changes.slice(0, atMost);
    this.#take(this.history.advance(some));
    const last = some.at(-1);
    if (last !== undefined) this.#next = BigInt(last.modRevision) + 1n;
  }

  audit(between: () => void): void {
    if (this.history.isAheadOf(this.store.list())) return this.attach();
    const suspicious = this.history.suspect(this.store.list());
    between();
    if (this.history.isAheadOf(this.store.list())) return this.attach();
    if (suspicious && this.history.confirm(this.store.list()))
      this.#take(this.history.mend(this.store.list()));
  }

  reports(): string[] {
    return this.batches.flatMap(({ changes }) =>
      changes.map(({ kind, key, modRevision }) => `${kind} ${key} ${modRevision}`),
    );
  }

  #take(batch: PrefixBatch | null): void {
    if (batch === null) return;
    this.batches.push(batch);
    if (batch.kind === 'snapshot') this.seen.clear();
    for (const change of batch.changes) {
      if (change.kind === 'put') this.seen.set(change.key, change.modRevision);
      else this.seen.delete(change.key);
    }
  }
}

const truth = (store: EtcdModel): Map<string, string> =>
  new Map([...store.keys].map(([key, { modRevision }]) => [key, modRevision]));

const key = fc.constantFrom('a', 'b', 'c');
const write = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), key }),
  fc.record({ kind: fc.constant('delete' as const), key }),
);
const read = fc.record({ kind: fc.constant('read' as const), atMost: fc.integer({ min: 1, max: 4 }) });
const cut = fc.record({ kind: fc.constant('cut' as const) });
const audit = fc.record({ kind: fc.constant('audit' as const), late: fc.boolean() });
const harm = fc.oneof(
  fc.record({ kind: fc.constant('compact' as const) }),
  fc.record({ kind: fc.constant('deleteUnseen' as const), key }),
  fc.record({ kind: fc.constant('replace' as const), keys: fc.uniqueArray(key) }),
);
type Deed = typeof write | typeof read | typeof cut | typeof audit | typeof harm;

function play(deeds: readonly (Deed extends fc.Arbitrary<infer T> ? T : never)[]): Follower {
  const store = new EtcdModel();
  const follower = new Follower(store);
  store.put('a', 'first');
  follower.attach();
  for (const deed of deeds) {
    switch (deed.kind) {
      case 'put':
        store.put(deed.key, 'value');
        break;
      case 'delete':
        store.delete(deed.key);
        break;
      case 'read':
        follower.read(deed.atMost);
        break;
      case 'cut':
        follower.attach();
        break;
      case 'audit':
        follower.audit(() => (deed.late ? undefined : follower.read()));
        break;
      case 'compact':
        store.compact();
        break;
      case 'deleteUnseen':
        store.deleteUnseen(deed.key);
        break;
      case 'replace':
        store.replace(deed.keys);
        // The replaced server closes its connections.
        follower.attach();
        break;
    }
  }
  follower.attach();
  follower.read();
  return follower;
}

describe('KeyHistory', () => {
  it('reports every change once and in order, over any disconnects and audits, while no history is lost', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(write, read, cut), { maxLength: 60 }), (deeds) => {
        const follower = play(deeds);
        const wanted = follower.store.history.map(
          (change) => `${change.kind} ${change.key} ${change.modRevision}`,
        );
        expect(follower.reports()).toEqual(wanted);
        expect(follower.batches.slice(1).every(({ kind }) => kind === 'changes')).toBe(true);
      }),
      { numRuns: runs / 10 },
    );
  });

  it('is behind until the watch has reported what the listing showed', () => {
    fc.assert(
      fc.property(
        fc.array(write, { maxLength: 20 }),
        fc.array(write, { maxLength: 20 }),
        fc.array(fc.oneof(read, write), { maxLength: 20 }),
        (before, missed, after) => {
          const store = new EtcdModel();
          const follower = new Follower(store);
          const apply = ({ kind, key: written }: { kind: 'put' | 'delete'; key: string }): void =>
            kind === 'put' ? store.put(written, 'value') : store.delete(written);
          before.forEach(apply);
          follower.attach();
          expect(follower.history.isBehind).toBe(false);
          missed.forEach(apply);
          follower.attach();
          for (const deed of after) {
            if (deed.kind === 'read') follower.read(deed.atMost);
            else apply(deed);
            if (follower.history.isBehind) continue;
            const reported = new Map(
              follower.batches.flatMap(({ changes }) =>
                changes.map(({ key: changed, modRevision }) => [changed, BigInt(modRevision)] as const),
              ),
            );
            for (const { key: listed, modRevision } of follower.attachedTo.entries)
              expect(reported.get(listed)).toBeGreaterThanOrEqual(BigInt(modRevision));
          }
          follower.read();
          expect(follower.history.isBehind).toBe(false);
        },
      ),
      { numRuns: runs / 10 },
    );
  });

  it('an audit of a watch that keeps up reports nothing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(write, cut, fc.constant({ kind: 'audit' as const, late: false })), {
          maxLength: 60,
        }),
        (deeds) => {
          expect(play(deeds).batches.filter(({ kind }) => kind === 'resync')).toEqual([]);
        },
      ),
      { numRuns: runs / 10 },
    );
  });

  it('ends with the existing keys, regardless of compactions, replaced stores, lost or late events', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(write, write, read, cut, audit, harm), { maxLength: 80 }), (deeds) => {
        const follower = play(deeds);
        follower.audit(() => undefined);
        expect(follower.seen).toEqual(truth(follower.store));
      }),
      { numRuns: runs / 10 },
    );
  });

  it('of lost history leaves out no more than what was compacted away', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(write, write, read, cut, fc.constant({ kind: 'compact' as const })), {
          maxLength: 60,
        }),
        (deeds) => {
          const follower = play(deeds);
          const reported = follower.reports();
          const wanted = follower.store.history
            .filter(({ modRevision }) => BigInt(modRevision) > follower.store.compacted)
            .map((change) => `${change.kind} ${change.key} ${change.modRevision}`);
          expect(reported.slice(reported.length - wanted.length)).toEqual(wanted);
        },
      ),
      { numRuns: runs / 10 },
    );
  });

  it('the first listing is reported completely, also an empty one', () => {
    const history = new KeyHistory('');
    expect(history.revision).toBe(null);
    expect(history.attach({ revision: 5n, entries: [] })).toEqual({ changes: [], watchFrom: 6n });
    expect(history.revision).toBe(5n);
  });

  it('after lost history a key that was removed and made again unseen is a delete and a put', () => {
    const store = new EtcdModel();
    store.put('a', 'one');
    const follower = new Follower(store);
    follower.attach();
    store.delete('a');
    store.put('a', 'two');
    store.compact();
    follower.read();
    expect(follower.batches.at(-1)).toMatchObject({
      kind: 'resync',
      changes: [
        { kind: 'delete', key: 'a' },
        { kind: 'put', key: 'a', modRevision: '4' },
      ],
    });
  });

  it('the audit finds a deletion that the server lost and reports it as a resync', () => {
    const store = new EtcdModel();
    store.put('a', 'one');
    const follower = new Follower(store);
    follower.attach();
    store.deleteUnseen('a');
    follower.read();
    expect(follower.seen.size).toBe(1);
    follower.audit(() => follower.read());
    expect(follower.batches.at(-1)).toEqual({
      kind: 'resync',
      revision: '3',
      changes: [{ kind: 'delete', key: 'a', modRevision: '3' }],
    });
  });

  it('a listing made before a reported removal does not restore the key', () => {
    const store = new EtcdModel();
    store.put('a', 'one');
    const follower = new Follower(store);
    follower.attach();
    const before = store.list();
    store.delete('a');
    follower.read();
    expect(follower.history.suspect(before)).toBe(false);
  });

  it('a store that was replaced and has outgrown the old one is noticed by the audit', () => {
    const store = new EtcdModel();
    store.put('a', 'one');
    const follower = new Follower(store);
    follower.attach();
    store.replace(['b', 'c', 'b', 'c']);
    follower.attach();
    follower.read();
    expect(follower.seen.has('a')).toBe(true);
    follower.audit(() => follower.read());
    expect(follower.batches.at(-1)).toMatchObject({
      kind: 'resync',
      changes: [{ kind: 'delete', key: 'a' }],
    });
    expect(follower.seen).toEqual(truth(store));
  });
});
