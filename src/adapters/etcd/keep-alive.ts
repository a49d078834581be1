import type { LeaseClient } from 'etcd3';
import { exhaustMap, map, take, timer, type Observable, type SchedulerLike } from 'rxjs';
import { answerWithin } from '../../operators/answer-within.js';
import { ANSWER_MS } from './open-client.js';
import { requestStream } from './request-stream.js';

/**
 * Keeps a lease alive, asking at once, for it may be an old one, and each time half of it is over, as Dynamo does.
 * Emits after each answer and never completes; errors when the server says that the lease is gone, or does not answer
 * while there is time to ask on another connection.
 */
export function keepAlive(
  lease: LeaseClient,
  id: string,
  ttlSeconds: number,
  scheduler: SchedulerLike,
): Observable<void> {
  const periodMs = (ttlSeconds * 1_000) / 2;
  return timer(0, periodMs, scheduler).pipe(
    exhaustMap(() =>
      requestStream(() => lease.leaseKeepAlive(), { ID: id }).pipe(
        take(1),
        answerWithin(Math.min(ANSWER_MS, periodMs / 2), scheduler),
      ),
    ),
    map(({ TTL }) => {
      if (Number(TTL) <= 0) throw new Error('the lease has run out, and its keys are gone');
    }),
  );
}
