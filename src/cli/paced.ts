import { Observable, type SchedulerLike } from 'rxjs';

/**
 * Emits each item when its time has come, counted from the subscription; items of one moment together.
 *
 * 1. Nothing is taken from `items` before it is due, but for the one that comes next.
 * 2. Late items are not dropped. Between two moments the scheduler has its turn, so timers and signals are heard
 *    even when the items never keep up.
 * 3. It completes after the last item, and errors when the iteration throws.
 */
export function paced<T extends { readonly at: number }>(
  items: Iterable<T>,
  scheduler: SchedulerLike,
): Observable<T> {
  return new Observable((subscriber) => {
    const iterator = items[Symbol.iterator]();
    const began = scheduler.now();
    let next: IteratorResult<T>;
    const take = (): void => {
      try {
        next = iterator.next();
      } catch (error) {
        subscriber.error(error);
      }
    };
    take();
    return scheduler.schedule(function () {
      const due = next.done === true ? 0 : next.value.at;
      while (
        !subscriber.closed &&
        next.done !== true &&
        next.value.at === due &&
        due <= scheduler.now() - began
      ) {
        subscriber.next(next.value);
        take();
      }
      if (subscriber.closed) return;
      if (next.done === true) subscriber.complete();
      else this.schedule(undefined, Math.max(0, next.value.at - (scheduler.now() - began)));
    });
  });
}
