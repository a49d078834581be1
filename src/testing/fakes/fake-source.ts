import { Observable, type Subscriber } from 'rxjs';

/** A source that a test drives by hand. See {@link fakeSource}. */
export interface FakeSource<T> {
  /** What is handed to the code under test. */
  readonly source$: Observable<T>;
  readonly next: (value: T) => void;
  readonly error: (error: unknown) => void;
  readonly complete: () => void;
  /** How many are subscribed now, and how many ever were. */
  readonly open: number;
  readonly subscribed: number;
}

/**
 * A source that says what a test tells it to, and counts who listens.
 *
 * 1. Hot: who is subscribed gets what comes. Before the first subscription nothing is kept.
 * 2. After `error` or `complete` it can be subscribed to again, as a source that reconnects.
 *
 * @example
 * ```ts
 * import { loadMonitor, policies } from 'tidemark';
 * import { fakeSource, fleetEvents as fleet, type FakeSource } from 'tidemark/testing';
 * import type { ActiveLoad } from 'tidemark';
 *
 * const loads: FakeSource<ActiveLoad> = fakeSource();
 * const start = { thresholds: { activePrefillTokensThreshold: 10 } };
 * const monitor = loadMonitor({ loads: loads.source$ }, { policy: policies.default, start });
 * monitor.transitions$.subscribe(({ verdict }) => console.log(verdict.reason, verdict.busy));
 * monitor.connect();
 * loads.next(fleet.load(7, { activePrefillTokens: 11 }));
 * monitor.stop();
 * console.log(loads.open, loads.subscribed);
 * // Logs: load true
 * // Logs: 0 1
 * ```
 *
 * @see {@link fleetEvents}
 */
export function fakeSource<T>(): FakeSource<T> {
  const subscribers = new Set<Subscriber<T>>();
  let subscribed = 0;
  return {
    source$: new Observable((subscriber) => {
      subscribers.add(subscriber);
      subscribed += 1;
      return () => subscribers.delete(subscriber);
    }),
    next: (value) => {
      for (const subscriber of [...subscribers]) subscriber.next(value);
    },
    error: (error) => {
      for (const subscriber of [...subscribers]) subscriber.error(error);
    },
    complete: () => {
      for (const subscriber of [...subscribers]) subscriber.complete();
    },
    get open() {
      return subscribers.size;
    },
    get subscribed() {
      return subscribed;
    },
  };
}
