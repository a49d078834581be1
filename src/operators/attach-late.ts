import {
  catchError,
  concatWith,
  defer,
  EMPTY,
  map,
  mergeMap,
  of,
  type Observable,
  type ObservableInput,
} from 'rxjs';

/**
 * An event of one watch. A watch is an inner stream that has emitted: it gives `attached` with its first value, `next` with
 * every later value, and finally `closed` or `error`.
 *
 * `watch` is its number. It is `null` for a stream that failed before its first value, since it was never attached.
 */
export type WatchItem<T> =
  | { readonly kind: 'attached' | 'next'; readonly watch: number; readonly value: T }
  | { readonly kind: 'closed'; readonly watch: number }
  | { readonly kind: 'error'; readonly watch: number | null; readonly error: unknown };

/**
 * Subscribes to streams that arrive at any time, or never, and numbers their values by stream.
 *
 * 1. A stream is attached when it emits its first value. Watches are numbered from 0 in this order, so counting the
 *    `attached` items gives the numbers. A stream that completes without a value gives no item.
 * 2. The error of a stream is an item, and the other streams continue.
 * 3. All streams are subscribed to at the same time, so that the consumer of the items decides which watch counts.
 * 4. The result completes when the outer stream and all inner streams have completed. An error of the outer stream ends
 *    the result, so catch it before this operator if the watches should continue.
 *
 * ```
 *   inner$$  --a------b----|
 *   a          --x----y-----|
 *   b                 ---z-------#
 *            attachLate(inner$$)
 *   result   ----p----q--r--s----(t|)
 *
 *   p: attached 0 x   q: next 0 y   r: attached 1 z   s: closed 0   t: error 1
 * ```
 *
 * @example
 * ```ts
 * import { NEVER, of, startWith } from 'rxjs';
 * import { attachLate } from 'tidemark/operators';
 *
 * const first$ = NEVER.pipe(startWith(['w1']));
 * const second$ = of(['w2'], ['w2', 'w3']);
 * attachLate(of(first$, second$)).subscribe((item) => console.log(item.kind, item.watch));
 * // Logs: attached 0
 * // Logs: attached 1
 * // Logs: next 1
 * // Logs: closed 1
 * ```
 *
 * @param inner$$ The outer stream.
 */
export function attachLate<T>(inner$$: Observable<ObservableInput<T>>): Observable<WatchItem<T>> {
  return defer(() => {
    let attached = 0;
    return inner$$.pipe(mergeMap((inner) => watched(inner, () => attached++)));
  });
}

/** The items of one stream. `number` is called for its number when it is attached. */
function watched<T>(inner: ObservableInput<T>, number: () => number): Observable<WatchItem<T>> {
  return defer(() => {
    let watch: number | null = null;
    return defer(() => inner).pipe(
      map((value): WatchItem<T> => {
        if (watch !== null) return { kind: 'next', watch, value };
        watch = number();
        return { kind: 'attached', watch, value };
      }),
      concatWith(defer(() => (watch === null ? EMPTY : of({ kind: 'closed', watch } as const)))),
      catchError((error: unknown) => of({ kind: 'error', watch, error } as const)),
    );
  });
}
