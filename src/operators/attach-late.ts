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
 * What one watch did. A watch is one inner stream that has emitted: `attached` with its first value, `next`
 * with every other one, and at last `closed` or `error`.
 *
 * `watch` is its number. It is `null` for a stream that failed before its first value, as it was never
 * attached.
 */
export type WatchItem<T> =
  | { readonly kind: 'attached' | 'next'; readonly watch: number; readonly value: T }
  | { readonly kind: 'closed'; readonly watch: number }
  | { readonly kind: 'error'; readonly watch: number | null; readonly error: unknown };

/**
 * Listens to streams that arrive at any time, or never, and tells their values apart by number.
 *
 * 1. A stream is attached when its first value comes. Watches are numbered in this order from 0, so whoever
 *    counts the `attached` items knows the numbers. A stream that ends without a value leaves no item.
 * 2. The error of a stream is an item, and the others go on.
 * 3. By default all streams are heard at the same time, so that who reads the items decides which one counts;
 *    see {@link SecondWatch}.
 * 4. The result completes when the outer stream and all inner ones have ended. The outer one may end early;
 *    its error ends everything, so catch it in front where the watches should live on.
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

/** The items of one stream; `number` is asked for its number when it is attached. */
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
