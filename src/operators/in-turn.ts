import { defer, Observable, type ObservableInput, type OperatorFunction } from 'rxjs';
import { untilClosed } from './until-closed.js';

/**
 * Maps each item to a stream and emits these streams one after another, as `concatMap` does, but with constant stack
 * depth.
 *
 * 1. `project` is called with an item when the streams of all items before it have completed; synchronously, if no stream
 *    is open.
 * 2. It completes when the source and the last stream have completed.
 * 3. An error of the source, of a stream or of `project` is passed on at once, and waiting items are discarded.
 *    Unsubscribing unsubscribes from the open stream and discards waiting items.
 * 4. Waiting items are processed in a loop. `concatMap` processes each one inside the completion of the one before, and
 *    silently stops after some hundred streams in a row that complete synchronously.
 *
 * ```
 *   source  --a-b-c----------|
 *           inTurn((item) => cold('x--x|'))
 *   result  --x--xx--xx--x---|
 * ```
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { inTurn } from 'tidemark/operators';
 *
 * of('a', 'b')
 *   .pipe(inTurn((item) => of(`${item} begins`, `${item} ends`)))
 *   .subscribe((text) => console.log(text));
 * // Logs: a begins
 * // Logs: a ends
 * // Logs: b begins
 * // Logs: b ends
 * ```
 *
 * @see {@link trampoline} for items that need no stream
 */
export function inTurn<T, R>(project: (item: T) => ObservableInput<R>): OperatorFunction<T, R> {
  return (source$) =>
    new Observable<R>((subscriber) => {
      let waiting: T[] = [];
      let batch: Iterator<T> = [].values();
      let open = false;
      let ended = false;
      let looping = false;

      const take = (): IteratorResult<T, unknown> => {
        const next = batch.next();
        if (next.done !== true) return next;
        batch = waiting.values();
        waiting = [];
        return batch.next();
      };
      const proceed = (): void => {
        // A stream that completes synchronously calls this from inside the loop, which then continues by itself.
        if (looping) return;
        looping = true;
        while (!open && !subscriber.closed) {
          const next = take();
          if (next.done !== true) perform(next.value);
          else if (ended) subscriber.complete();
          else break;
        }
        looping = false;
      };
      const perform = (item: T): void => {
        open = true;
        defer(() => project(item))
          .pipe(untilClosed(subscriber))
          .subscribe({
            next: (value) => subscriber.next(value),
            error: (error: unknown) => subscriber.error(error),
            complete: () => {
              open = false;
              proceed();
            },
          });
      };

      return source$.pipe(untilClosed(subscriber)).subscribe({
        next: (item) => {
          waiting.push(item);
          proceed();
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => {
          ended = true;
          proceed();
        },
      });
    });
}
