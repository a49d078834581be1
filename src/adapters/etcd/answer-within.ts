import { race, switchMap, throwError, timer, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';

/** How long an answer that has already arrived may take to be read. */
const READING_MS = 100;

/**
 * Errors when the source says nothing for so many milliseconds: no first value, no completion.
 *
 * The last part of the wait begins only when the first part is over: after this process itself stood still (stopped,
 * suspended, a blocked event loop), both a timer and the answer are due, and the timer comes first.
 */
export function answerWithin<T>(ms: number, scheduler: SchedulerLike): MonoTypeOperatorFunction<T> {
  return (source$) =>
    race(
      source$,
      timer(ms, scheduler).pipe(
        switchMap(() => timer(READING_MS, scheduler)),
        switchMap(() => throwError(() => new Error(`no answer: timed out after ${ms} ms`))),
      ),
    );
}
