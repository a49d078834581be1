import {
  BehaviorSubject,
  catchError,
  concat,
  defer,
  EMPTY,
  ignoreElements,
  map,
  merge,
  Observable,
  of,
  ReplaySubject,
  skip,
  switchMap,
  take,
  takeUntil,
  takeWhile,
  tap,
  type OperatorFunction,
} from 'rxjs';
import type { ActiveLoad } from '../../core/events/fleet-event.js';
import { parseCount } from '../../core/number-text.js';
import { oneOf, required, validatedElsewhere } from '../../core/option-problems.js';
import type { SourceStatus } from '../../core/sources/source-status.js';
import type { EndpointName } from '../../core/sources/worker-info.js';
import { parseEndpoint } from '../../wire/endpoint-names.js';
import { encodeActiveLoad, encodeEnvelope } from '../../wire/loads/load-encoder.js';
import { loadSubject } from '../../wire/loads/subjects.js';
import { monotonicScheduler } from '../clock/monotonic-scheduler.js';
import type { NatsLink, Subscribed } from './nats-link.js';
import { type NatsConnectionOptions, requireNatsOptions } from './nats-options.js';
import { runNats } from './nats-run.js';
import { selectPublications } from './publication-rules.js';

/** Options of {@link natsPublisher}. */
export type NatsPublisherOptions = NatsConnectionOptions & {
  /** The endpoint of the loads. */
  readonly endpoint: EndpointName;
  /** `worker` publishes changes, debounced by a millisecond; `router` (1.0 only) publishes every value at once. */
  readonly as: 'worker' | 'router';
  /** The release whose format and subject to use. */
  readonly release: '1.0' | '1.6';
  /** The id in the envelopes, below 2^64: in 1.0 that of the worker, later a random one. */
  readonly publisherId: string;
};

/** The status of a publisher. */
export interface PublisherStatus extends SourceStatus {
  /** The number of loads published on a connection. */
  readonly published: number;
  /** The number of loads dropped because there was no connection. */
  readonly dropped: number;
}

/**
 * Publishes loads on NATS like Dynamo, and emits the status of the publisher.
 *
 * 1. A `worker` of 1.6 publishes the load of a rank a millisecond after its last change, each rank separately. In 1.0 all
 *    ranks share that millisecond, and only the last load is published. A `router` publishes every load at once.
 * 2. Envelopes are numbered from 0. Without a connection a load is dropped, as in Dynamo, but uses a number, so that a
 *    receiver detects a gap.
 * 3. It subscribes to the loads when the first connection is open.
 * 4. It emits every change of its status. After the loads complete, it waits until the server has received all of them or
 *    the connection is lost, emits a last status, and completes. It never errors.
 *
 * @throws NatsOptionsError for invalid options, and EndpointNameError for an invalid endpoint; both synchronously.
 *
 * @example
 * ```ts no-run
 * import { of } from 'rxjs';
 * import { workerId } from 'tidemark';
 * import { natsPublisher } from 'tidemark/nats';
 *
 * const load = { workerId: workerId('7'), dpRank: 0, activeDecodeBlocks: null, activePrefillTokens: null, kvUsedBlocks: 90 };
 * of(load)
 *   .pipe(
 *     natsPublisher({
 *       servers: 'nats://127.0.0.1:4222',
 *       endpoint: { namespace: 'dynamo', component: 'backend', endpoint: 'generate' },
 *       as: 'worker',
 *       release: '1.6',
 *       publisherId: '123456789',
 *     }),
 *   )
 *   .subscribe(({ state, published }) => console.log(state, published));
 * ```
 */
export function natsPublisher(options: NatsPublisherOptions): OperatorFunction<ActiveLoad, PublisherStatus> {
  requireNatsOptions('natsPublisher', options, {
    endpoint: required(validatedElsewhere),
    as: required(oneOf(['worker', 'router'])),
    release: required(oneOf(['1.0', '1.6'])),
    publisherId: required({
      what: 'a whole number below 2^64, as a string',
      is: (value) => typeof value === 'string' && parseCount(value) !== null,
    }),
  });
  const { as, release, publisherId, scheduler = monotonicScheduler } = options;
  const endpoint = parseEndpoint(options.endpoint);
  const [subject, fields] =
    release === '1.0'
      ? ([loadSubject({ namespace: endpoint.namespace }), 4] as const)
      : ([loadSubject(endpoint), 5] as const);
  return (loads$) =>
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
      const send = (load: ActiveLoad): void => {
        const header = { publisherId, sequence: published + dropped, publishedAt: Date.now() };
        const bytes = encodeEnvelope(header, encodeActiveLoad(load, fields));
        if (link$.value === null) dropped += 1;
        else published += 1;
        link$.value?.publish(subject, bytes);
      };
      const sent$ = begun$.pipe(
        take(1),
        switchMap(() => loads$),
        selectPublications(as, release, scheduler),
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
