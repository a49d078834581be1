import { race, switchMap, throwError, timer, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import { TidemarkError } from './tidemark-error.js';

/** The time in which an answer that has already arrived can still be read, in milliseconds. */
const READING_MS = 100;

/**
 * Errors when the source neither emits a first value nor completes within the given milliseconds.
 *
 * The last part of the wait starts only when the first part is over. After a pause of the process itself (stopped,
 * suspended, or with a blocked event loop), both a timer and the answer are due, and the timer would fire first.
 */
export function answerWithin<T>(ms: number, scheduler: SchedulerLike): MonoTypeOperatorFunction<T> {
  return (source$) =>
    race(
      source$,
      timer(ms, scheduler).pipe(
        switchMap(() => timer(READING_MS, scheduler)),
        switchMap(() =>
          throwError(() => new TidemarkError('no-answer', `no answer: timed out after ${ms} ms`)),
        ),
      ),
    );
}
