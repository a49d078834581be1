import { Observable, type SchedulerLike } from 'rxjs';

/**
 * Emits each item at its time `at`, in milliseconds since the subscription.
 *
 * 1. Items with the same time are emitted together. Only the next item is taken from `items` in advance.
 * 2. Late items are not dropped. Between two times the scheduler runs other work, so timers and signals are handled even
 *    when the items are permanently late.
 * 3. It completes after the last item, and errors if the iteration throws.
 */
export function paced<T extends { readonly at: number }>(
  items: Iterable<T>,
  scheduler: SchedulerLike,
): Observable<T> {
  return new Observable((subscriber) => {
    const iterator = items[Symbol.iterator]();
    const startedAt = scheduler.now();
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
        due <= scheduler.now() - startedAt
      ) {
        subscriber.next(next.value);
        take();
      }
      if (subscriber.closed) return;
      if (next.done === true) subscriber.complete();
      else this.schedule(undefined, Math.max(0, next.value.at - (scheduler.now() - startedAt)));
    });
  });
}
