import { fromEvent, merge, NEVER, take, timer, type Observable, type SchedulerLike } from 'rxjs';

/** Emits once when the user has seen enough: at Ctrl-C, at SIGTERM, or after so many seconds. */
export function untilSignal(seconds: number | undefined, scheduler: SchedulerLike): Observable<unknown> {
  const over$ = seconds === undefined ? NEVER : timer(seconds * 1000, scheduler);
  return merge(over$, fromEvent(process, 'SIGINT'), fromEvent(process, 'SIGTERM')).pipe(take(1));
}
