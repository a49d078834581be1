import { Observable, type Subscriber } from 'rxjs';

/** A source that a test drives by hand. See {@link fakeSource}. */
export interface FakeSource<T> {
  /** The source for the code under test. */
  readonly source$: Observable<T>;
  readonly next: (value: T) => void;
  readonly error: (error: unknown) => void;
  readonly complete: () => void;
  /** The number of current subscribers. */
  readonly open: number;
  /** The number of subscriptions so far. */
  readonly subscribed: number;
}

/**
 * A source that emits what a test gives it, and counts its subscribers.
 *
 * 1. It is hot: current subscribers receive each value, and values without a subscriber are lost.
 * 2. After `error` or `complete` it can be subscribed to again, like a source that reconnects.
 *
 * @example
 * ```ts
 * import { loadMonitor, policies } from 'tidemark';
 * import { fakeSource, fleetEvents as fleet, type FakeSource } from 'tidemark/testing';
 * import type { ActiveLoad } from 'tidemark';
 *
 * const loads: FakeSource<ActiveLoad> = fakeSource();
 * const thresholds = { activePrefillTokensThreshold: 10 };
 * const monitor = loadMonitor({ loads: loads.source$ }, { policy: policies.default, thresholds });
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
