import { catchError, defer, from, mergeMap, throwError, type Observable, type SchedulerLike } from 'rxjs';
import { answerWithin } from '../../operators/answer-within.js';
import type { EtcdClient } from './etcd-client.js';

/** One answer of the server, or an error when it takes too long. A token that has run out is renewed once. */
export function unaryCall<T>(
  { isTokenRefused, login }: EtcdClient,
  call: () => Promise<T>,
  withinMs: number,
  scheduler: SchedulerLike,
): Observable<T> {
  return defer(call).pipe(
    catchError((error: unknown) =>
      isTokenRefused(error) ? from(login()).pipe(mergeMap(call)) : throwError(() => error),
    ),
    answerWithin(withinMs, scheduler),
  );
}
