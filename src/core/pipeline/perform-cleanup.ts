import { catchError, defer, EMPTY, endWith, ignoreElements, of } from 'rxjs';
import type { ObservableInput, OperatorFunction } from 'rxjs';
import { inTurn } from '../../operators/in-turn.js';
import type { Cleanup } from '../state/cleanup.js';

/**
 * Removes the metric series that a cleanup names. It either does so at once and returns nothing, or returns an Observable
 * (whose values are ignored) or a PromiseLike that ends when it is done.
 */
export type CleanupSink = (cleanup: Cleanup) => ObservableInput<unknown> | void;

/** The outcome of one cleanup. It has an `error` if the sink failed. */
export type CleanupOutcome =
  { readonly cleanup: Cleanup } | { readonly cleanup: Cleanup; readonly error: unknown };

/**
 * Performs each cleanup with a sink, and emits its outcome.
 *
 * 1. Cleanups are performed in order, one at a time. So two cleanups of one worker cannot overtake each other, and the
 *    outcomes have the order of the cleanups.
 * 2. An exception, rejection or error of the sink is an outcome, and the next cleanup follows. Only errors of the source
 *    are passed on.
 * 3. A sink that never ends blocks all later cleanups: give it a `timeout`.
 * 4. It completes when the source has completed and the last cleanup is done. Unsubscribing unsubscribes from the
 *    Observable of the active cleanup, and discards the waiting ones.
 *
 * | on | effect |
 * |---|---|
 * | next | the sink is called when the cleanups before it are done; one outcome when it is done |
 * | error | errors at once; the active cleanup is ended, waiting ones are discarded |
 * | end | completes once the last cleanup is done |
 * | unsubscribe | the source is unsubscribed; the active cleanup is ended, waiting ones are discarded |
 * | late subscription | a queue of its own: a cold source runs again, a hot one gives only later cleanups |
 * | resubscription | an empty queue: a cold source runs again, discarded cleanups do not come back |
 *
 * ```
 *   cleanups$  --a-b-----c---|
 *              performCleanup(sink)       each takes 3 columns, and b fails
 *   outcomes   -----a--b----c|            b has an error
 * ```
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { performCleanup, workerId, type Cleanup } from 'tidemark';
 *
 * const series = new Set(['7/0', '7/1']);
 * const rankLeft: Cleanup = { workerId: workerId('7'), dpRanks: [0], workerType: 'decode' };
 * const removeSeries = ({ workerId, dpRanks }: Cleanup) => {
 *   for (const rank of dpRanks) series.delete(`${workerId}/${rank}`);
 * };
 * of(rankLeft)
 *   .pipe(performCleanup(removeSeries))
 *   .subscribe((outcome) => console.log('error' in outcome, series));
 * // Logs: false Set(1) { '7/1' }
 * ```
 *
 * @see {@link Cleanup}, {@link inTurn}
 */
export function performCleanup(sink: CleanupSink): OperatorFunction<Cleanup, CleanupOutcome> {
  return inTurn((cleanup) =>
    defer(() => sink(cleanup) ?? EMPTY).pipe(
      ignoreElements(),
      endWith<never, [CleanupOutcome]>({ cleanup }),
      catchError((error: unknown) => of<CleanupOutcome>({ cleanup, error })),
    ),
  );
}
