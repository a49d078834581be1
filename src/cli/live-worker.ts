import { randomBytes } from 'node:crypto';
import {
  concat,
  defer,
  delay,
  EMPTY,
  endWith,
  forkJoin,
  ignoreElements,
  map,
  merge,
  mergeMap,
  of,
  ReplaySubject,
  switchMap,
  takeUntil,
  tap,
  timer,
  type MonoTypeOperatorFunction,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import { registerWorker } from '../adapters/etcd/register-worker.js';
import type { EtcdOptions } from '../adapters/etcd/etcd-options.js';
import type { RegistrationStatus } from '../adapters/etcd/registration-status.js';
import type { NatsLink } from '../adapters/nats/nats-link.js';
import { natsPublisher } from '../adapters/nats/nats-publisher.js';
import { publicationsOf } from '../adapters/nats/publications-of.js';
import type { ActiveLoad } from '../core/active-load.js';
import type { EndpointName } from '../core/endpoint-name.js';
import type { WorkerId } from '../core/worker-id.js';
import type { ModelFiles } from '../wire/model-files.js';
import type { WorkerLife } from './worker-lives.js';

/** Where simulated workers live, and as what. */
export interface LiveWorkerOptions {
  readonly etcd: EtcdOptions;
  /** One connection for all; `linked$` emits when it stood for the first time. */
  readonly link: NatsLink;
  readonly linked$: Observable<unknown>;
  readonly place: EndpointName;
  readonly model: { readonly model: string; readonly files?: ModelFiles };
  readonly generation: '1.0' | '1.6';
  readonly ttlSeconds: number;
  /** Each load as it is published, with the worker's id. */
  readonly published: (load: ActiveLoad) => void;
  readonly scheduler: SchedulerLike;
}

/** How long a worker that leaves waits for its last loads to go out. */
const FLUSH_MS = 1_000;
/** Over how long the reports of a worker's ranks are spread; they come every 200 ms. */
const SPREAD_MS = 150;

/**
 * One simulated worker as the twin of a real one: registered under a lease of its own, which gives it its id, and
 * publishing what a worker of its generation publishes. When its loads end, the last are flushed and then the lease is
 * revoked, so that whoever watches has all of them before it leaves.
 */
export function liveWorker(
  { config, loads$ }: WorkerLife,
  { place, etcd, link, linked$, model, generation, ttlSeconds, published, scheduler }: LiveWorkerOptions,
): Observable<RegistrationStatus> {
  return defer(() => {
    const id$ = new ReplaySubject<WorkerId>(1);
    const stop$ = new ReplaySubject<void>(1);
    const registration$ = registerWorker({
      ...etcd,
      ...place,
      transport: { kind: 'tcp', address: '127.0.0.1:9000' },
      card: { ...model, runtimeConfig: config },
      generation,
      ttlSeconds,
      stop$,
    }).pipe(
      tap(({ state, workerId }) => {
        if (state !== 'registered' || workerId === null) return;
        id$.next(workerId);
        id$.complete();
      }),
    );
    const over$ = loads$.pipe(ignoreElements(), endWith(null), delay(FLUSH_MS, scheduler));
    const published$ = forkJoin([id$, linked$]).pipe(
      switchMap(([workerId]) =>
        loads$.pipe(
          spread(config.dataParallelSize ?? 1, scheduler),
          map((load) => ({ ...load, workerId })),
          // What a worker publishes is decided here, so that it is known; the publisher then sends each at once.
          publicationsOf('worker', generation, scheduler),
          tap(published),
          natsPublisher({
            connection: link,
            endpoint: place,
            as: 'router',
            generation,
            publisherId: generation === '1.0' ? workerId : randomBytes(8).readBigUInt64BE().toString(),
          }),
        ),
      ),
      ignoreElements(),
      takeUntil(over$),
    );
    const left$ = defer(() => {
      stop$.next();
      return EMPTY;
    });
    return merge(registration$, concat(published$, left$));
  });
}

/** Ranks report one after the other, as those of a real worker do; at once, a worker of 1.0 would publish only one. */
function spread(ranks: number, scheduler: SchedulerLike): MonoTypeOperatorFunction<ActiveLoad> {
  return mergeMap((load) =>
    load.dpRank === 0 ? of(load) : timer((load.dpRank * SPREAD_MS) / ranks, scheduler).pipe(map(() => load)),
  );
}
