import type { LeaseClient } from 'etcd3';
import { exhaustMap, ignoreElements, map, take, timer, type Observable, type SchedulerLike } from 'rxjs';
import { answerWithin } from './answer-within.js';
import { ANSWER_MS } from './open-client.js';
import { requestStream } from './request-stream.js';

/**
 * Keeps a lease alive, asking each time half of it is over, as Dynamo does. Never completes; errors when the server
 * says that the lease is gone, or does not answer.
 */
export function keepAlive(
  lease: LeaseClient,
  id: string,
  ttlSeconds: number,
  scheduler: SchedulerLike,
): Observable<never> {
  const periodMs = (ttlSeconds * 1_000) / 2;
  return timer(periodMs, periodMs, scheduler).pipe(
    exhaustMap(() =>
      requestStream(() => lease.leaseKeepAlive(), { ID: id }).pipe(
        take(1),
        answerWithin(ANSWER_MS, scheduler),
      ),
    ),
    map(({ TTL }) => {
      if (Number(TTL) <= 0) throw new Error('the lease has run out, and its keys are gone');
    }),
    ignoreElements(),
  );
}
