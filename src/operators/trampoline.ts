import { Observable, type MonoTypeOperatorFunction } from 'rxjs';
import { untilClosed } from './until-closed.js';

/** How items that consist of several parts are delivered part by part. */
export interface ItemParts<T> {
  /** Whether a part is left after a delivery. If so, the item is delivered again, after the items that wait. */
  readonly hasMore: (item: T) => boolean;
  /** What waits in place of an item that arrives during a delivery. Use it to copy items that are valid only now. */
  readonly whileWaiting: (item: T) => readonly T[];
}

/**
 * Delivers one item after another, even when a subscriber causes the next item while it receives one.
 *
 * 1. An item that arrives while another is being delivered waits until everything downstream has received the current
 *    one. Without this, `scan` and `share` would emit in the wrong order: a second subscriber would receive the caused item
 *    before the one that caused it.
 * 2. Items keep their order. Completion and error wait for the items before them.
 * 3. Any other item is delivered synchronously, before the producer's `next` returns.
 * 4. Waiting items are delivered in a loop, so their number does not increase the stack depth.
 * 5. With `parts`, an item is delivered once for each of its parts. What a part causes comes before the next part.
 * 6. Unsubscribing discards waiting items and the parts that are left.
 *
 * Every subscription has its own queue. So put the operator after the `merge` of all sources that a subscriber can feed,
 * and before `share`. `observeOn(queueScheduler)` has one queue for the whole process, so an item would also wait for
 * unrelated deliveries.
 *
 * ```
 *   source  --a--------c--|      a subscriber answers a with (p), and p with (q)
 *           trampoline()
 *   result  --(apq)----c--|
 * ```
 *
 * @param parts how items that consist of parts are delivered; without it, every item is delivered once
 *
 * @example
 * ```ts
 * import { share, Subject } from 'rxjs';
 * import { trampoline } from 'tidemark/operators';
 *
 * const numbers$ = new Subject<number>();
 * const shared$ = numbers$.pipe(trampoline(), share());
 * shared$.subscribe((n) => {
 *   if (n < 3) numbers$.next(n + 1);
 * });
 * shared$.subscribe((n) => console.log(n));
 * numbers$.next(1);
 * // Logs: 1
 * // Logs: 2
 * // Logs: 3
 * ```
 *
 * @see {@link inTurn} for work that takes time
 */
export function trampoline<T>(parts?: ItemParts<T>): MonoTypeOperatorFunction<T> {
  return (source$) =>
    new Observable<T>((subscriber) => {
      let waiting: T[] = [];
      let end: (() => void) | undefined;
      let delivering = false;

      const deliverWaiting = (): void => {
        while (waiting.length > 0) {
          const items = waiting;
          waiting = [];
          for (const item of items) subscriber.next(item);
        }
      };
      const deliver = (item: T): void => {
        delivering = true;
        subscriber.next(item);
        if (waiting.length > 0) deliverWaiting();
        while (parts?.hasMore(item) === true && !subscriber.closed) {
          subscriber.next(item);
          deliverWaiting();
        }
        delivering = false;
        end?.();
      };
      const finish = (how: () => void): void => {
        if (delivering) end = how;
        else how();
      };

      return source$.pipe(untilClosed(subscriber)).subscribe({
        next: (item) => {
          if (!delivering) deliver(item);
          else if (parts === undefined) waiting.push(item);
          else waiting.push(...parts.whileWaiting(item));
        },
        error: (error: unknown) => finish(() => subscriber.error(error)),
        complete: () => finish(() => subscriber.complete()),
      });
    });
}
