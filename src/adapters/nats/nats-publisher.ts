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
import type { SourceStatus } from '../../core/sources/source-status.js';
import type { EndpointName } from '../../core/sources/worker-info.js';
import { encodeActiveLoad, encodeEnvelope } from '../../wire/loads/load-encoder.js';
import { loadSubject } from '../../wire/loads/subjects.js';
import { monotonicScheduler } from '../clock/monotonic-scheduler.js';
import type { NatsLink, Subscribed } from './nats-link.js';
import type { NatsConnectionOptions } from './nats-options.js';
import { runNats } from './nats-run.js';
import { selectPublications } from './publication-rules.js';

/** Who publishes, and as what. */
export type NatsPublisherOptions = NatsConnectionOptions & {
  /** The endpoint whose loads these are. */
  readonly endpoint: EndpointName;
  /** `worker` publishes what changed, after a pause of a millisecond; `router` (1.0 only) every value at once. */
  readonly as: 'worker' | 'router';
  /** In the bytes and on the subject of which release. */
  readonly release: '1.0' | '1.6';
  /** The number that its envelopes name, below 2^64; in 1.0 it is the worker's own id, later a random one. */
  readonly publisherId: string;
};

/** How a publisher is. */
export interface PublisherStatus extends SourceStatus {
  /** How many loads were handed to a connection, and how many had none to go to. */
  readonly published: number;
  readonly dropped: number;
}

/**
 * Publishes loads on NATS as Dynamo does, and says how that goes.
 *
 * 1. A `worker` of 1.6 publishes a rank's value a millisecond after its last change, each rank by itself; a value that
 *    equals the one before is no change. Of 1.0, all ranks share that millisecond, and only the last value goes out.
 *    A `router` publishes every value at once.
 * 2. Envelopes are numbered from 0. Without a connection a load is dropped, as in Dynamo, and takes its number with
 *    it: that is what a receiver counts gaps by.
 * 3. Loads are taken from when the first connection stands.
 * 4. It emits its status when that changes, and completes after the loads do, when the server has the last of them or the
 *    connection is lost, with a last status. It never errors.
 *
 * @throws NatsOptionsError, when it is called, for options that cannot be followed.
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
  const { endpoint, as, release, publisherId, scheduler = monotonicScheduler } = options;
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
      // The clients leave a flush pending for ever when the connection is closed meanwhile.
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
