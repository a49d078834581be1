import { type Observable, Subscription } from 'rxjs';

/** One thing that every implementation must do. `run` throws, or rejects, when this one does not. */
export interface ConformanceCase {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** @throws Error that says what was expected and what came */
export function expectSame(what: string, actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: expected ${b}, got ${a}`);
}

/** How the cases drive one source. Every case asks for a new one. */
export interface SourceHarness<T> {
  readonly source$: Observable<T>;
  /** Three values that differ as JSON, in the order in which the cases push them. */
  readonly values: readonly [T, T, T];
  /** Makes the system behind the source say a value. Resolves when the source must have said it. */
  readonly push: (value: T) => PromiseLike<void> | void;
  /** Makes the system fail, or end; absent where the source hides both. */
  readonly fail?: () => PromiseLike<void> | void;
  readonly end?: () => PromiseLike<void> | void;
  /** How many sockets, timers and listeners the source holds. */
  readonly open: () => number;
  /** Resolves when the source is ready to hear what is pushed. */
  readonly ready?: () => PromiseLike<void> | void;
  /** Resolves when what was given back is closed, where that takes a moment; rejects where it never is. */
  readonly settled?: () => PromiseLike<void> | void;
}

interface Heard<T> {
  readonly values: T[];
  ends: number;
  errors: number;
}

const ROUNDS = 100;

/**
 * What every source of tidemark does, as cases for any test runner.
 *
 * 1. Building it opens nothing; subscribing does.
 * 2. Values come in order, to every subscriber.
 * 3. Unsubscribing ends delivery and gives back everything, also a hundred times over.
 * 4. An error or an end is told once, and nothing after it.
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
 * // Logs: values come in order
 * // Logs: every subscriber gets every value
 * // Logs: unsubscribing ends delivery and gives everything back
 * // Logs: a hundred rounds of subscribing leave nothing open
 * // Logs: an error is told once, and gives everything back
 * // Logs: an end is told once, and gives everything back
 * ```
 *
 * @param make a new source; a case whose means are absent is left out
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
    withSource('values come in order', async (source) => {
      const { heard, subscription } = await listen(source);
      for (const value of source.values) await source.push(value);
      expectSame('values', heard.values, source.values);
      subscription.unsubscribe();
    }),
    withSource('every subscriber gets every value', async (source) => {
      const [one, two] = [await listen(source), await listen(source)];
      for (const value of source.values) await source.push(value);
      expectSame('values of the first', one.heard.values, source.values);
      expectSame('values of the second', two.heard.values, source.values);
      one.subscription.unsubscribe();
      two.subscription.unsubscribe();
    }),
    withSource('unsubscribing ends delivery and gives everything back', async (source) => {
      const { heard, subscription } = await listen(source);
      await source.push(source.values[0]);
      subscription.unsubscribe();
      await source.push(source.values[1]);
      expectSame('values', heard.values, [source.values[0]]);
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
          withSource('an error is told once, and gives everything back', (source) =>
            ended(source, () => source.fail?.(), [0, 1]),
          ),
        ]),
    ...(end === undefined
      ? []
      : [
          withSource('an end is told once, and gives everything back', (source) =>
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
  const { heard } = await listen(source);
  await how();
  await source.push(source.values[0]);
  expectSame('ends and errors', [heard.ends, heard.errors], expected);
  expectSame('values', heard.values, []);
  await source.settled?.();
  expectSame('open', source.open(), 0);
}

async function listen<T>(source: SourceHarness<T>): Promise<{ heard: Heard<T>; subscription: Subscription }> {
  const heard: Heard<T> = { values: [], ends: 0, errors: 0 };
  const subscription = new Subscription();
  subscription.add(
    source.source$.subscribe({
      next: (value) => heard.values.push(value),
      error: () => (heard.errors += 1),
      complete: () => (heard.ends += 1),
    }),
  );
  await source.ready?.();
  return { heard, subscription };
}
