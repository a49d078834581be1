import { concat, defer, from, map, mergeMap, Observable, type SchedulerLike } from 'rxjs';
import { answerWithin } from '../../operators/answer-within.js';
import { etcd3Package, type Etcd3Package } from './etcd3-package.js';
import { etcdClient, type EtcdClient } from './etcd-client.js';
import type { EtcdHost } from './etcd-host.js';
import type { EtcdOptions } from './etcd-options.js';
import { preFlight } from './pre-flight.js';
import { told } from './told.js';

/** How long one answer may take. */
export const ANSWER_MS = 5_000;
const PRE_FLIGHT_MS = 3_000;
/** Our own timers judge; the deadlines of gRPC only clean up after them. */
const DEADLINE_MS = 30_000;

/** Connects to a server and logs in: one client, closed when it is unsubscribed from. Never completes. */
export function openClient(
  host: EtcdHost,
  options: EtcdOptions,
  scheduler: SchedulerLike,
): Observable<EtcdClient> {
  const loggedIn = (etcd3: Etcd3Package): Observable<EtcdClient> =>
    new Observable((subscriber) => {
      const client = etcdClient(etcd3, host, options, DEADLINE_MS);
      const login = from(client.login())
        .pipe(
          answerWithin(ANSWER_MS, scheduler),
          map(() => client),
          told(host.url, 'logging in'),
        )
        .subscribe({
          next: () => subscriber.next(client),
          error: (error: unknown) => subscriber.error(error),
        });
      return () => {
        login.unsubscribe();
        client.close();
      };
    });
  return defer(etcd3Package).pipe(
    mergeMap((etcd3) => concat(preFlight(host, options.tls, PRE_FLIGHT_MS), loggedIn(etcd3))),
  );
}
