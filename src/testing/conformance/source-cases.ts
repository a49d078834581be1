import { type Observable, Subscription } from 'rxjs';
import { TidemarkError } from '../../core/errors.js';

/** One requirement of every implementation. `run` rejects when the implementation does not meet it. */
export interface ConformanceCase {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** @throws TidemarkError with the expected and the actual value */
export function expectSame(what: string, actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new TidemarkError('conformance', `${what}: expected ${b}, got ${a}.`);
}

/** One source under test. Every case makes a new one. */
export interface SourceHarness<T> {
  readonly source$: Observable<T>;
  /** Three values that differ as JSON, in the order in which the cases push them. */
  readonly values: readonly [T, T, T];
  /** Makes the system behind the source produce a value. Resolves when the source must have emitted it. */
  readonly push: (value: T) => PromiseLike<void> | void;
  /** Makes the system fail; absent if the source never errors. */
  readonly fail?: () => PromiseLike<void> | void;
  /** Makes the system end; absent if the source never completes. */
  readonly end?: () => PromiseLike<void> | void;
  /** The number of sockets, timers and listeners that the source has open. */
  readonly open: () => number;
  /** Resolves when the source is ready to receive pushed values. */
  readonly ready?: () => PromiseLike<void> | void;
  /** Resolves when released resources are closed, if that takes time; rejects if they never are. */
  readonly settled?: () => PromiseLike<void> | void;
}

interface Received<T> {
  readonly values: T[];
  ends: number;
  errors: number;
}

const ROUNDS = 100;

/**
 * The conformance cases of sources, for any test runner.
 *
 * 1. Building a source opens nothing; subscribing does.
 * 2. Every subscriber receives the values in order.
 * 3. Unsubscribing ends delivery and releases everything, also a hundred times in a row.
 * 4. An error or a completion is emitted once, and nothing after it.
 *
 * @example
 * ```ts
 * import { fakeSource, sourceCases, type FakeSource } from 'tidemark/testing';
 *
 * const cases = sourceCases(() => {
 *   const fake: FakeSource<string> = fakeSource();
 *   return {
 *     source$: fake.source$,
 *     values: ['a', 'b', 'c'],
 *     push: fake.next,
 *     fail: () => fake.error(new Error('gone')),
 *     end: fake.complete,
 *     open: () => fake.open,
 *   };
 * });
 * for (const { name, run } of cases) {
 *   await run();
 *   console.log(name);
 * }
 * // Logs: building it opens nothing
 * // Logs: values arrive in order
 * // Logs: every subscriber receives every value
 * // Logs: unsubscribing ends delivery and releases everything
 * // Logs: a hundred rounds of subscribing leave nothing open
 * // Logs: an error is emitted once, and releases everything
 * // Logs: a completion is emitted once, and releases everything
 * ```
 *
 * @param make makes a new source; a case that needs an absent function is omitted
 *
 * @see {@link sinkCases}
 */
export function sourceCases<T>(make: () => SourceHarness<T>): ConformanceCase[] {
  const withSource = (name: string, body: (source: SourceHarness<T>) => Promise<void>): ConformanceCase => ({
    name,
    run: () => body(make()),
  });
  const { fail, end } = make();
  return [
    withSource('building it opens nothing', async (source) => {
      await source.ready?.();
      expectSame('open', source.open(), 0);
    }),
    withSource('values arrive in order', async (source) => {
      const { received, subscription } = await listen(source);
      for (const value of source.values) await source.push(value);
      expectSame('values', received.values, source.values);
      subscription.unsubscribe();
    }),
    withSource('every subscriber receives every value', async (source) => {
      const [first, second] = [await listen(source), await listen(source)];
      for (const value of source.values) await source.push(value);
      expectSame('values of the first', first.received.values, source.values);
      expectSame('values of the second', second.received.values, source.values);
      first.subscription.unsubscribe();
      second.subscription.unsubscribe();
    }),
    withSource('unsubscribing ends delivery and releases everything', async (source) => {
      const { received, subscription } = await listen(source);
      await source.push(source.values[0]);
      subscription.unsubscribe();
      await source.push(source.values[1]);
      expectSame('values', received.values, [source.values[0]]);
      await source.settled?.();
      expectSame('open', source.open(), 0);
    }),
    withSource('a hundred rounds of subscribing leave nothing open', async (source) => {
      for (let round = 0; round < ROUNDS; round += 1) (await listen(source)).subscription.unsubscribe();
      await source.settled?.();
      expectSame('open', source.open(), 0);
    }),
    ...(fail === undefined
      ? []
      : [
          withSource('an error is emitted once, and releases everything', (source) =>
            ended(source, () => source.fail?.(), [0, 1]),
          ),
        ]),
    ...(end === undefined
      ? []
      : [
          withSource('a completion is emitted once, and releases everything', (source) =>
            ended(source, () => source.end?.(), [1, 0]),
          ),
        ]),
  ];
}

async function ended<T>(
  source: SourceHarness<T>,
  how: () => PromiseLike<void> | void,
  expected: [number, number],
): Promise<void> {
  const { received } = await listen(source);
  await how();
  await source.push(source.values[0]);
  expectSame('ends and errors', [received.ends, received.errors], expected);
  expectSame('values', received.values, []);
  await source.settled?.();
  expectSame('open', source.open(), 0);
}

async function listen<T>(
  source: SourceHarness<T>,
): Promise<{ received: Received<T>; subscription: Subscription }> {
  const received: Received<T> = { values: [], ends: 0, errors: 0 };
  const subscription = new Subscription();
  subscription.add(
    source.source$.subscribe({
      next: (value) => received.values.push(value),
      error: () => (received.errors += 1),
      complete: () => (received.ends += 1),
    }),
  );
  await source.ready?.();
  return { received, subscription };
}
