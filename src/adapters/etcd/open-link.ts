import { catchError, concat, from, map, Observable, throwError, type SchedulerLike } from 'rxjs';
import { answerWithin } from './answer-within.js';
import { etcdClient } from './etcd-client.js';
import type { EtcdHost } from './etcd-host.js';
import type { EtcdLink } from './etcd-link.js';
import type { EtcdOptions } from './etcd-options.js';
import { troubleOf } from './etcd-trouble.js';
import { ANSWER_MS, GrpcLink } from './grpc-link.js';
import { preFlight } from './pre-flight.js';

const PRE_FLIGHT_MS = 3_000;
/** Our own timers judge; the deadlines of gRPC only clean up after them. */
const DEADLINE_MS = 30_000;

/** Connects to a server and logs in: one link, closed when it is unsubscribed from. Never completes. */
export function openLink(
  host: EtcdHost,
  options: EtcdOptions,
  scheduler: SchedulerLike,
): Observable<EtcdLink> {
  const loggedIn$ = new Observable<EtcdLink>((subscriber) => {
    const client = etcdClient(host, options, DEADLINE_MS);
    const login = from(client.login())
      .pipe(
        answerWithin(ANSWER_MS, scheduler),
        map(() => new GrpcLink(client, host.url, options.keyPrefix ?? '', scheduler)),
        catchError((error: unknown) => throwError(() => troubleOf(error, host.url, 'logging in'))),
      )
      .subscribe({
        next: (link) => subscriber.next(link),
        error: (error: unknown) => subscriber.error(error),
      });
    return () => {
      login.unsubscribe();
      client.close();
    };
  });
  return concat(preFlight(host, options.tls, PRE_FLIGHT_MS), loggedIn$);
}
