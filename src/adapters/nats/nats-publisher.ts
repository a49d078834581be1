import {
  BehaviorSubject,
  EMPTY,
  Observable,
  type OperatorFunction,
  ReplaySubject,
  catchError,
  concat,
  defer,
  ignoreElements,
  map,
  merge,
  of,
  skip,
  switchMap,
  take,
  takeUntil,
  takeWhile,
  tap,
} from 'rxjs';
import type { Message } from '../../core/sources/message-source.js';
import type { SourceStatus } from '../../core/sources/source-status.js';
import { monotonicScheduler } from '../clock/monotonic-scheduler.js';
import type { NatsLink, Subscribed } from './nats-link.js';
import { type NatsConnectionOptions, requireNatsOptions } from './nats-options.js';
import { runNats } from './nats-run.js';

/** The status of a publisher. */
export interface PublisherStatus extends SourceStatus {
  /** The number of messages published on a connection. */
  readonly published: number;
  /** The number of messages dropped because there was no connection. */
  readonly dropped: number;
}

/**
 * Publishes messages on NATS, and emits the status of the publisher.
 *
 * 1. It subscribes to the messages when the first connection is open.
 * 2. Each message is published at once. Without a connection it is dropped and counted.
 * 3. It emits every change of its status. After the messages complete, it waits until the server has received all of them
 *    or the connection is lost, emits a last status, and completes. It never errors.
 *
 * @throws NatsOptionsError for invalid options, synchronously.
 *
 * @example
 * ```ts no-run
 * import { of } from 'rxjs';
 * import { natsPublisher } from 'tidemark/nats';
 *
 * of({ subject: 'orders.new', data: new TextEncoder().encode('{}') })
 *   .pipe(natsPublisher({ servers: 'nats://127.0.0.1:4222' }))
 *   .subscribe(({ state, published }) => console.log(state, published));
 * ```
 *
 * @see {@link natsMessages}
 */
export function natsPublisher(options: NatsConnectionOptions): OperatorFunction<Message, PublisherStatus> {
  requireNatsOptions('natsPublisher', options);
  const { scheduler = monotonicScheduler } = options;
  return (messages$) =>
    defer(() => {
      const begun$ = new ReplaySubject<void>(1);
      const link$ = new BehaviorSubject<NatsLink | null>(null);
      let [published, dropped] = [0, 0];
      const work = (open: NatsLink): Observable<Subscribed> =>
        new Observable((subscriber) => {
          link$.next(open);
          subscriber.next({ refused: [] });
          begun$.next();
          return () => link$.next(null);
        });
      const send = ({ subject, data }: Message): void => {
        if (link$.value === null) dropped += 1;
        else published += 1;
        link$.value?.publish(subject, data);
      };
      const sent$ = begun$.pipe(
        take(1),
        switchMap(() => messages$),
        tap(send),
        ignoreElements(),
      );
      // A flush never settles if the connection is closed in the meantime.
      const flushed$ = defer(() => link$.value?.flush() ?? EMPTY).pipe(
        catchError(() => EMPTY),
        ignoreElements(),
        takeUntil(link$.pipe(skip(1))),
      );
      const statuses$ = merge(runNats(options, 'publisher', work), concat(sent$, flushed$, of(null))).pipe(
        takeWhile((status) => status !== null),
      );
      const ended$ = defer(() =>
        of<SourceStatus>({ source: 'publisher', state: 'ended', since: scheduler.now() }),
      );
      return concat(statuses$, ended$).pipe(map((status) => ({ ...status, published, dropped })));
    });
}
