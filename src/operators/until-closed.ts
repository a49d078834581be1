import { Observable, takeUntil, type MonoTypeOperatorFunction, type Subscriber } from 'rxjs';

/**
 * Ends a source as soon as a subscriber is closed.
 *
 * Inside `new Observable(…)` a returned subscription is too late for a source that emits synchronously: it does not exist
 * yet when the consumer unsubscribes, and an endless source would never stop.
 *
 * The teardown is removed from the subscriber when the source ends, so a subscriber can have any number of sources in turn.
 */
export function untilClosed<T>(subscriber: Subscriber<unknown>): MonoTypeOperatorFunction<T> {
  return takeUntil(
    new Observable<void>((closed) => {
      const notify = (): void => closed.next();
      subscriber.add(notify);
      return () => subscriber.remove(notify);
    }),
  );
}
