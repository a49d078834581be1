import type { IRequestStream, IResponseStream } from 'etcd3';
import {
  Observable,
  type SchedulerLike,
  catchError,
  concat,
  defer,
  from,
  map,
  mergeMap,
  throwError,
} from 'rxjs';
import { answerWithin } from '../../operators/answer-within.js';
import { type Etcd3Package, type EtcdClient, createEtcdClient, loadEtcd3 } from './etcd-client.js';
import { mapEtcdError } from './etcd-error.js';
import type { EtcdHost, EtcdOptions } from './etcd-options.js';
import { etcdPreFlight } from './etcd-pre-flight.js';

/** The time limit for one answer. */
export const MAX_ANSWER_MS = 5_000;
const PRE_FLIGHT_MS = 3_000;
/** The deadline of gRPC calls, which is only a fallback: tidemark has timers of its own. */
const DEADLINE_MS = 30_000;

/** Connects to a server and logs in: emits one client, and closes it on unsubscription. Never completes. */
export function openClient(
  host: EtcdHost,
  options: EtcdOptions,
  scheduler: SchedulerLike,
): Observable<EtcdClient> {
  const loggedIn = (etcd3: Etcd3Package): Observable<EtcdClient> =>
    new Observable((subscriber) => {
      const client = createEtcdClient(etcd3, host, options, DEADLINE_MS);
      const login = from(client.login())
        .pipe(
          answerWithin(MAX_ANSWER_MS, scheduler),
          map(() => client),
          mapEtcdError(host.url, 'logging in'),
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
  return defer(loadEtcd3).pipe(
    mergeMap((etcd3) => concat(etcdPreFlight(host, options.tls, PRE_FLIGHT_MS), loggedIn(etcd3))),
  );
}

/** Emits one answer of the server, or errors after a time limit. An expired token is renewed once. */
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

/**
 * A stream of answers to one request: subscribing opens it and sends the request, unsubscribing cancels it. Never
 * completes: the end of the stream is an error.
 */
export function requestStream<Request, Answer>(
  open: () => Promise<IRequestStream<Request> & IResponseStream<Answer>>,
  request: Request,
): Observable<Answer> {
  return new Observable((subscriber) => {
    let stream: IRequestStream<Request> | undefined;
    open().then(
      (opened) => {
        // Never removed: the cancellation itself emits an error, which must not crash the process.
        opened.on('error', (error) => subscriber.error(error));
        if (subscriber.closed) return opened.cancel();
        stream = opened;
        opened.on('data', (answer) => subscriber.next(answer));
        opened.on('end', () => subscriber.error(new Error('the server closed the stream')));
        opened.write(request);
      },
      (error: unknown) => subscriber.error(error),
    );
    return () => stream?.cancel();
  });
}
