import { map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { type KeyBatch, type KeyChange, MemoryKeys } from '../../../src/core/sources/key-source.js';
import { MemoryMessages } from '../../../src/core/sources/message-source.js';
import type { SourceStatus } from '../../../src/core/sources/source-status.js';
import { workerId } from '../../../src/core/worker-id.js';

const value = Uint8Array.of(1);
const other = Uint8Array.of(2);

/** The batches that a subscriber gets from now on. */
function batchesOf(keys: MemoryKeys): KeyBatch[] {
  const batches: KeyBatch[] = [];
  keys.changes$.subscribe((batch) => batches.push(batch));
  return batches;
}

/** The keys that batches add up to. */
function stateOf(batches: readonly KeyBatch[]): Record<string, Uint8Array> {
  const state = new Map<string, Uint8Array>();
  for (const { kind, changes } of batches) {
    if (kind === 'snapshot') state.clear();
    for (const { key, value: written } of changes) {
      if (written === undefined) state.delete(key);
      else state.set(key, written);
    }
  }
  return Object.fromEntries(state);
}

describe('MemoryKeys', () => {
  it('begins with a snapshot, even an empty one, and continues with every batch and its revision', () => {
    const keys = new MemoryKeys();
    const batches = batchesOf(keys);
    keys.put('a', value);
    keys.apply([{ key: 'a' }, { key: 'b', value: other, lease: workerId('7') }]);
    keys.delete('b');
    expect(batches).toEqual([
      { kind: 'snapshot', revision: '0', changes: [] },
      { kind: 'changes', revision: '1', changes: [{ key: 'a', value }] },
      {
        kind: 'changes',
        revision: '2',
        changes: [{ key: 'a' }, { key: 'b', value: other, lease: '7' }],
      },
      { kind: 'changes', revision: '3', changes: [{ key: 'b' }] },
    ]);
  });

  it('a late subscriber gets the keys as they are, with their leases and the current revision', () => {
    const keys = new MemoryKeys();
    const first = batchesOf(keys);
    keys.put('a', value);
    keys.apply([
      { key: 'b', value: other, lease: workerId('7') },
      { key: 'a', value: other },
      { key: 'c', value },
      { key: 'c' },
    ]);
    const late = batchesOf(keys);
    expect(late).toEqual([
      {
        kind: 'snapshot',
        revision: '2',
        changes: [
          { key: 'a', value: other },
          { key: 'b', value: other, lease: '7' },
        ],
      },
    ]);
    expect(first).toHaveLength(3);
    keys.delete('a');
    expect([stateOf(first), stateOf(late)]).toEqual([{ b: other }, { b: other }]);
  });

  it('a snapshot is a copy: it stays as it was', () => {
    const keys = new MemoryKeys();
    keys.put('a', value);
    const [snapshot] = batchesOf(keys);
    keys.put('b', value);
    expect(snapshot?.changes.map(({ key }) => key)).toEqual(['a']);
  });

  it('a write that the snapshot causes is not lost', () => {
    const keys = new MemoryKeys();
    keys.put('a', value);
    const batches: KeyBatch[] = [];
    keys.changes$.subscribe((batch) => {
      batches.push(batch);
      if (batch.kind === 'snapshot') keys.put('b', other);
    });
    expect(batches.map(({ kind, revision }) => `${kind} ${revision}`)).toEqual(['snapshot 1', 'changes 2']);
    expect(stateOf(batches)).toEqual({ a: value, b: other });
  });

  it('a removal without a key is a batch too, so that every revision is seen', () => {
    const keys = new MemoryKeys();
    const revisions: string[] = [];
    keys.changes$.pipe(map(({ revision }) => revision)).subscribe((revision) => revisions.push(revision));
    keys.delete('a');
    keys.apply([]);
    expect(revisions).toEqual(['0', '1', '2']);
  });

  it('is live under its name', () => {
    const statuses: SourceStatus[] = [];
    new MemoryKeys().status$.subscribe((status) => statuses.push(status));
    new MemoryKeys('mine').status$.subscribe((status) => statuses.push(status));
    expect(statuses).toEqual([
      { source: 'keys', state: 'live', since: 0 },
      { source: 'mine', state: 'live', since: 0 },
    ]);
  });

  it('an empty value is a written key, not a removal', () => {
    const keys = new MemoryKeys();
    const empty: KeyChange = { key: 'a', value: new Uint8Array(0) };
    keys.apply([empty]);
    expect(batchesOf(keys)[0]?.changes).toEqual([empty]);
  });
});

describe('MemoryMessages', () => {
  /** Which of some subjects arrive for a subscription. */
  function received(subscribed: readonly string[], published: readonly string[]): string[] {
    const messages = new MemoryMessages();
    const subjects: string[] = [];
    messages.subscribe(subscribed).subscribe(({ subject }) => subjects.push(subject));
    for (const subject of published) messages.publish(subject, value);
    return subjects;
  }

  it.each<[string, string[], string[], string[]]>([
    ['a subject matches itself alone', ['a.b'], ['a.b', 'a', 'a.b.c', 'axb', 'b.a.b'], ['a.b']],
    ['* is exactly one token', ['a.*.c'], ['a.b.c', 'a.c', 'a.b.b.c', 'a..c'], ['a.b.c']],
    ['* at the end too', ['a.*'], ['a', 'a.b', 'a.b.c'], ['a.b']],
    ['> is one token or more', ['a.>'], ['a', 'a.b', 'a.b.c', 'b.a'], ['a.b', 'a.b.c']],
    ['> alone is everything', ['>'], ['a', 'a.b.c'], ['a', 'a.b.c']],
    ['* and > together', ['*.b.>'], ['a.b', 'a.b.c', 'x.b.c.d', 'a.c.b'], ['a.b.c', 'x.b.c.d']],
    ['a wildcard within a token is a character', ['a*', 'b>'], ['ab', 'a*', 'b>', 'bc'], ['a*', 'b>']],
    ['other characters mean themselves', ['a+.(b)'], ['aa.b', 'a+.(b)', 'a+x(b)'], ['a+.(b)']],
    ['several subjects, in the order of the messages', ['a', 'b.*'], ['b.x', 'c', 'a'], ['b.x', 'a']],
    ['several subjects that match are several deliveries', ['a.*', 'a.b'], ['a.b'], ['a.b', 'a.b']],
    ['no subjects', [], ['a'], []],
  ])('%s', (_, subscribed, published, expected) => {
    expect(received(subscribed, published)).toEqual(expected);
  });

  it('delivers synchronously to all present subscribers, and keeps nothing for absent ones', () => {
    const messages = new MemoryMessages();
    const seen: string[] = [];
    messages.publish('a', value);
    const first = messages.subscribe(['a']).subscribe(({ data }) => seen.push(`first ${data[0]}`));
    messages.subscribe(['*']).subscribe(({ data }) => seen.push(`second ${data[0]}`));
    messages.publish('a', other);
    first.unsubscribe();
    messages.publish('a', value);
    expect(seen).toEqual(['first 2', 'second 2', 'second 1']);
  });

  it('is live under its name', () => {
    const statuses: SourceStatus[] = [];
    new MemoryMessages().status$.subscribe((status) => statuses.push(status));
    new MemoryMessages('mine').status$.subscribe((status) => statuses.push(status));
    expect(statuses.map(({ source, state }) => `${source} ${state}`)).toEqual(['messages live', 'mine live']);
  });
});
