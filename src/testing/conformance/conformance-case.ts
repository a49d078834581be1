import {
  type Observable,
  type Subscription,
  filter,
  firstValueFrom,
  interval,
  map,
  startWith,
  take,
  timeout,
} from 'rxjs';
import { TidemarkError } from '../../core/errors.js';
import { errorText } from '../../operators/error-text.js';

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

const POLL_MS = 2;
const PATIENCE_MS = 30_000;

/** How long a case waits. */
export interface Patience {
  /** How long a case waits for what never comes, in milliseconds. Only a failing case waits that long. Defaults to 30 000. */
  readonly patienceMs?: number;
}

/** Waits until a value is the expected one. */
export type UntilSame = (what: string, actual: () => unknown, expected: unknown) => Promise<void>;

/** Makes a function that waits until a value is the expected one; it throws TidemarkError if that takes too long. */
export function untilSameWithin({ patienceMs = PATIENCE_MS }: Patience): UntilSame {
  return (what, actual, expected) => untilSame(what, actual, expected, patienceMs);
}

async function untilSame(
  what: string,
  actual: () => unknown,
  expected: unknown,
  patienceMs: number,
): Promise<void> {
  const same$ = interval(POLL_MS).pipe(
    startWith(0),
    map(() => JSON.stringify(actual()) === JSON.stringify(expected)),
    filter((same) => same),
    take(1),
    timeout(patienceMs),
  );
  await firstValueFrom(same$).catch(() => undefined);
  expectSame(what, actual(), expected);
}

/** Collects the states of a status. An error, which no source may have, becomes a state, too. */
export function listen(status$: Observable<{ readonly state: string }>, states: string[]): Subscription {
  return status$.subscribe({
    next: ({ state }) => states.push(state),
    error: (error: unknown) => states.push(`error: ${errorText(error)}`),
  });
}
