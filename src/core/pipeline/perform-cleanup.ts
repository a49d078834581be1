import { catchError, defer, EMPTY, endWith, ignoreElements, of } from 'rxjs';
import type { ObservableInput, OperatorFunction } from 'rxjs';
import { inTurn } from '../../operators/in-turn.js';
import type { Cleanup } from '../state/cleanup.js';

/**
 * Drops the series that a cleanup names. It may do so at once and return nothing, or return what ends when it
 * is done: an Observable, whose values are ignored, or a PromiseLike.
 */
export type CleanupSink = (cleanup: Cleanup) => ObservableInput<unknown> | void;

/** How one cleanup went. */
export type CleanupOutcome =
  | { readonly cleanup: Cleanup; readonly ok: true }
  | { readonly cleanup: Cleanup; readonly ok: false; readonly error: unknown };

/**
 * Performs each cleanup with a sink and emits how it went.
 *
 * 1. Cleanups are performed in order, one at a time: the sink is called when the one before is done, so two
 *    cleanups of one worker cannot overtake each other, and outcomes come in the order of the cleanups.
 * 2. What the sink throws, rejects or errors with is an outcome, and the next cleanup follows. Errors of the
 *    source alone pass on.
 * 3. A sink that never ends holds up all cleanups behind it: give it a `timeout`.
 * 4. It completes when the source has completed and the last cleanup is done. Unsubscribing ends the one that
 *    is under way, as far as its Observable can be ended, and drops those that wait.
 *
 * | on | it does |
 * |---|---|
 * | next | the sink is called in its turn; one outcome when it is done |
 * | error | errors at once; the cleanup under way is ended, those that wait are dropped |
 * | end | completes once the last cleanup is done |
 * | unsubscribe | the source is left; the cleanup under way is ended, those that wait are dropped |
 * | late subscription | a queue of its own: a cold source runs anew, of a hot one only what comes is performed |
 * | re-connection | an empty queue: a cold source runs anew, what was dropped does not come back by itself |
 *
 * ```
 *   cleanups$  --a-b-----c---|
 *              performCleanup(sink)       takes 3, and fails for b
 *   outcomes   -----a--b----c|            a: ok   b: not ok   c: ok
 * ```
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { performCleanup, workerId, type Cleanup } from 'tidemark';
 *
 * const series = new Set(['7/0', '7/1']);
 * const rankLeft: Cleanup = { workerId: workerId('7'), dpRanks: [0], workerType: 'decode' };
 * const drop = ({ workerId, dpRanks }: Cleanup) => {
 *   for (const rank of dpRanks) series.delete(`${workerId}/${rank}`);
 * };
 * of(rankLeft)
 *   .pipe(performCleanup(drop))
 *   .subscribe(({ ok }) => console.log(ok, series));
 * // Logs: true Set(1) { '7/1' }
 * ```
 *
 * @see {@link Cleanup}, {@link inTurn}
 */
export function performCleanup(sink: CleanupSink): OperatorFunction<Cleanup, CleanupOutcome> {
  return inTurn((cleanup) =>
    defer(() => sink(cleanup) ?? EMPTY).pipe(
      ignoreElements(),
      endWith<never, [CleanupOutcome]>({ cleanup, ok: true }),
      catchError((error: unknown) => of<CleanupOutcome>({ cleanup, ok: false, error })),
    ),
  );
}
