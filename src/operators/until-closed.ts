import { Observable, takeUntil, type MonoTypeOperatorFunction, type Subscriber } from 'rxjs';

/**
 * Ends a source as soon as a subscriber is closed.
 *
 * Inside `new Observable(…)` a returned subscription comes too late for a source that emits synchronously: it
 * is not there yet when the consumer unsubscribes, and an endless source would never stop.
 *
 * The hook on the subscriber goes when the source ends, so any number of sources can pass one after another.
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
