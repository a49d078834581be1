import { TestScheduler } from 'rxjs/testing';
import { expect } from 'vitest';

type Helpers = Parameters<Parameters<TestScheduler['run']>[0]>[0];

const MAX_FRAMES = 10_000;

/** What a test in virtual time works with. */
export interface VirtualTime extends Helpers {
  readonly scheduler: TestScheduler;
}

/** A recorded row; what is expected of subscriptions has no notification. */
interface Row {
  readonly notification?: { readonly kind: string; readonly value?: unknown };
}

/** Runs marble rows with a scheduler of their own; nothing asserted, or a letter without a value, fails. */
export function inVirtualTime(body: (time: VirtualTime) => void): void {
  let asserted = 0;
  const scheduler = new TestScheduler((actual: unknown, expected: readonly Row[]) => {
    asserted += 1;
    const unbound = expected.filter(
      ({ notification }) => notification?.kind === 'N' && notification.value === undefined,
    );
    expect(unbound).toEqual([]);
    expect(actual).toStrictEqual(expected);
  });
  scheduler.run((helpers) => {
    // A stream that should end and does not has to fail, not to run for ever.
    scheduler.maxFrames = MAX_FRAMES;
    body({ ...helpers, scheduler });
  });
  expect(asserted).toBeGreaterThan(0);
}
