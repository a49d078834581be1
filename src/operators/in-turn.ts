import { defer, Observable, type ObservableInput, type OperatorFunction } from 'rxjs';
import { untilClosed } from './until-closed.js';

/**
 * Turns each item into a stream and emits these streams one after another, as `concatMap` does, at a flat
 * stack.
 *
 * 1. `project` is called with an item when the streams of all items before it have completed; synchronously,
 *    if none is open.
 * 2. It completes when the source and the last stream have completed.
 * 3. An error of the source or of a stream passes on at once, and so does what `project` throws; what waits
 *    is dropped. Unsubscribing ends the open stream and drops what waits.
 * 4. Waiting items are taken in a loop. `concatMap` takes each one inside the end of the one before, and
 *    stops without a word after some hundred streams in a row that complete synchronously.
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
        // A stream that completes at once comes back here from inside the loop, which then goes on by itself.
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
