import { Subscription } from 'rxjs';
import type { KeyBatch, KeySource } from '../../core/sources/key-source.js';
import { errorText } from '../../operators/error-text.js';
import {
  type ConformanceCase,
  type Patience,
  type UntilSame,
  expectSame,
  listen,
  untilSameWithin,
} from './conformance-case.js';

/** One source of keys under test, over a store without keys. Every case makes a new one. */
export interface KeySourceHarness extends Patience {
  readonly source: KeySource;
  /** The beginning of the keys that the cases write. */
  readonly prefix?: string;
  /** Writes a key into the store behind the source. */
  readonly put: (key: string, value: Uint8Array) => PromiseLike<unknown> | void;
  /** Removes a key from that store. */
  readonly remove: (key: string) => PromiseLike<unknown> | void;
  /** The number of sockets, timers and listeners that the source has open. */
  readonly open: () => number;
  /** Makes the store unreachable, until the returned function is called. Absent if that cannot happen. */
  readonly interrupt?: () => PromiseLike<() => PromiseLike<unknown> | void>;
}

const ROUNDS = 100;

/** What one subscriber received. */
class Received {
  readonly kinds: string[] = [];
  readonly revisions: bigint[] = [];
  /** The changes after the snapshot, as `key=value` or `key`. */
  readonly changes: string[] = [];
  readonly states: string[] = [];
  /** The keys as they are now, sorted. */
  readonly keys = new Map<string, string>();
  readonly subscription = new Subscription();

  constructor(private readonly prefix: string) {}

  add({ kind, revision, changes }: KeyBatch): void {
    this.kinds.push(kind);
    this.revisions.push(BigInt(revision));
    if (kind === 'snapshot') this.keys.clear();
    for (const { key, value } of changes) {
      const name = key.slice(this.prefix.length);
      const text = value === undefined ? '' : [...value].join();
      if (value === undefined) this.keys.delete(name);
      else this.keys.set(name, text);
      if (kind !== 'snapshot') this.changes.push(value === undefined ? name : `${name}=${text}`);
    }
  }

  present(): string[] {
    return [...this.keys].map(([key, value]) => `${key}=${value}`).sort();
  }
}

/**
 * The conformance cases of {@link KeySource}, for any test runner.
 *
 * 1. Building a source opens nothing; subscribing does.
 * 2. A subscriber gets a snapshot first, even of no keys, and then every change in order. A late one gets the keys as they
 *    are. Revisions never decrease.
 * 3. The status is `live` once the first snapshot is complete.
 * 4. Unsubscribing ends delivery and releases everything, also a hundred times in a row.
 * 5. An interruption is a status. What changed meanwhile is reported once, after it.
 *
 * @example
 * ```ts
 * import { MemoryKeys } from 'tidemark';
 * import { keySourceCases } from 'tidemark/testing';
 *
 * const cases = keySourceCases(() => {
 *   const source = new MemoryKeys();
 *   return {
 *     source,
 *     put: (key, value) => source.put(key, value),
 *     remove: (key) => source.delete(key),
 *     open: () => 0,
 *   };
 * });
 * for (const { name, run } of cases) {
 *   await run();
 *   console.log(name);
 * }
 * // Logs: building it opens nothing
 * // Logs: a subscriber gets a snapshot of no keys, then every change in order
 * // Logs: a late subscriber gets a snapshot of the keys as they are
 * // Logs: every subscriber receives every change
 * // Logs: revisions never decrease
 * // Logs: the status is live, for late subscribers too
 * // Logs: unsubscribing ends delivery and releases everything
 * // Logs: a hundred rounds of subscribing leave nothing open
 * ```
 *
 * @param make makes a new source; a case that needs an absent function is omitted
 *
 * @see {@link messageSourceCases}
 */
export function keySourceCases(make: () => KeySourceHarness): ConformanceCase[] {
  const withSource = (name: string, body: (use: KeySourceUse) => Promise<void>): ConformanceCase => ({
    name,
    run: () => body(new KeySourceUse(make())),
  });
  return [
    withSource('building it opens nothing', async (use) => {
      expectSame('open', use.harness.open(), 0);
      await Promise.resolve();
    }),
    withSource('a subscriber gets a snapshot of no keys, then every change in order', async (use) => {
      const received = await use.listen();
      expectSame('keys', received.present(), []);
      await use.put('a', 1);
      await use.put('b', 2);
      await use.put('a', 3);
      await use.remove('b');
      await use.untilSame('changes', () => received.changes, ['a=1', 'b=2', 'a=3', 'b']);
      expectSame('first kind', received.kinds[0], 'snapshot');
      expectSame('other snapshots', received.kinds.slice(1).includes('snapshot'), false);
      received.subscription.unsubscribe();
    }),
    withSource('a late subscriber gets a snapshot of the keys as they are', async (use) => {
      const early = await use.listen();
      await use.put('a', 1);
      await use.put('b', 2);
      await use.remove('a');
      await use.untilSame('changes of the first', () => early.changes, ['a=1', 'b=2', 'a']);
      const late = await use.listen();
      expectSame('keys of the late one', [late.kinds, late.present()], [['snapshot'], ['b=2']]);
      await use.put('c', 3);
      await use.untilSame('changes of the late one', () => late.changes, ['c=3']);
      for (const { subscription } of [early, late]) subscription.unsubscribe();
    }),
    withSource('every subscriber receives every change', async (use) => {
      const both = [await use.listen(), await use.listen()];
      await use.put('a', 1);
      await use.remove('a');
      for (const received of both) await use.untilSame('changes', () => received.changes, ['a=1', 'a']);
      for (const { subscription } of both) subscription.unsubscribe();
    }),
    withSource('revisions never decrease', async (use) => {
      const received = await use.listen();
      for (const value of [1, 2, 3]) await use.put('a', value);
      await use.untilSame('changes', () => received.changes, ['a=1', 'a=2', 'a=3']);
      const { revisions } = received;
      const decreasing = revisions.filter((revision, at) => revision < (revisions[at - 1] ?? 0n));
      expectSame('revisions below the one before', decreasing.map(String), []);
      received.subscription.unsubscribe();
    }),
    withSource('the status is live, for late subscribers too', async (use) => {
      const received = await use.listen();
      await use.untilSame('state', () => received.states.at(-1), 'live');
      const states: string[] = [];
      listen(use.harness.source.status$, states).unsubscribe();
      expectSame('current state', states, ['live']);
      received.subscription.unsubscribe();
    }),
    withSource('unsubscribing ends delivery and releases everything', async (use) => {
      const [first, second] = [await use.listen(), await use.listen()];
      first.subscription.unsubscribe();
      await use.put('a', 1);
      await use.untilSame('changes of the second', () => second.changes, ['a=1']);
      expectSame('changes of the first', first.changes, []);
      second.subscription.unsubscribe();
      await use.untilSame('open', () => use.harness.open(), 0);
    }),
    withSource('a hundred rounds of subscribing leave nothing open', async (use) => {
      for (let round = 0; round < ROUNDS; round += 1) (await use.listen()).subscription.unsubscribe();
      await use.untilSame('open', () => use.harness.open(), 0);
    }),
    ...(make().interrupt === undefined
      ? []
      : [
          withSource('what changed during an interruption is reported once', async (use) => {
            const received = await use.listen();
            await use.put('a', 1);
            await use.untilSame('changes', () => received.changes, ['a=1']);
            const restore = await use.harness.interrupt?.();
            await use.untilSame('state', () => received.states.at(-1) === 'live', false);
            await use.put('b', 2);
            await use.remove('a');
            await restore?.();
            await use.untilSame('keys', () => received.present(), ['b=2']);
            await use.untilSame('state', () => received.states.at(-1), 'live');
            expectSame('changes', received.changes.toSorted(), ['a', 'a=1', 'b=2']);
            received.subscription.unsubscribe();
          }),
        ]),
  ];
}

/** A source while a case uses it. */
class KeySourceUse {
  readonly untilSame: UntilSame;
  private readonly prefix: string;

  constructor(readonly harness: KeySourceHarness) {
    this.prefix = harness.prefix ?? '';
    this.untilSame = untilSameWithin(harness);
  }

  async put(key: string, value: number): Promise<void> {
    await this.harness.put(this.prefix + key, new Uint8Array([value]));
  }

  async remove(key: string): Promise<void> {
    await this.harness.remove(this.prefix + key);
  }

  /** Subscribes to both outputs, and waits for the snapshot. */
  async listen(): Promise<Received> {
    const { source } = this.harness;
    const received = new Received(this.prefix);
    received.subscription.add(
      source.changes$.subscribe({
        next: (batch) => received.add(batch),
        error: (error: unknown) => received.kinds.push(`error: ${errorText(error)}`),
      }),
    );
    received.subscription.add(listen(source.status$, received.states));
    await this.untilSame('a snapshot first', () => received.kinds[0], 'snapshot');
    return received;
  }
}
