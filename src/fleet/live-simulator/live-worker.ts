import type { Observable } from 'rxjs';
import {
  EMPTY,
  NEVER,
  type MonoTypeOperatorFunction,
  ReplaySubject,
  type SchedulerLike,
  concat,
  defer,
  delay,
  endWith,
  filter,
  forkJoin,
  identity,
  ignoreElements,
  map,
  merge,
  mergeMap,
  of,
  share,
  switchMap,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import type { EtcdOptions } from '../../adapters/etcd/etcd-options.js';
import type { NatsConnectionOptions } from '../../adapters/nats/nats-options.js';
import type { ActiveLoad } from '../../core/events/fleet-event.js';
import type { KeyChange } from '../../core/sources/key-source.js';
import type { Message } from '../../core/sources/message-source.js';
import type { SourceStatus } from '../../core/sources/source-status.js';
import type { EndpointName } from '../../core/sources/worker-info.js';
import type { WorkerId } from '../../core/worker-id.js';
import { loadMessages } from '../../dynamo/publishing/load-messages.js';
import { type WorkerKeysOptions, workerKeys } from '../../dynamo/publishing/worker-keys.js';
import type { SimulatedWorker } from '../../simulator/simulated-worker.js';
import type { ModelFiles } from '../../wire/discovery/encode-discovery-record.js';
import { LOAD_METRICS_ENDPOINT, serviceName, serviceSubject } from '../../wire/services/service-names.js';
import { type WorkerStatus, registerWorker } from '../register-worker.js';
import { answerScrapes } from './answer-scrapes.js';
import { SIMULATION_MARK } from './simulation-namespace.js';

/** The releases whose workers can be simulated. Workers of 0.6 answer scrapes; the others publish their load. */
export type SimulatedRelease = '0.6' | '1.0' | '1.6';

/** How simulated workers register and publish. */
export interface LiveWorkerOptions {
  readonly etcd: EtcdOptions;
  /** For the workers of 0.6, which answer over it. */
  readonly nats: NatsConnectionOptions;
  /** Emits when messages can be sent. */
  readonly linked$: Observable<unknown>;
  readonly namespace: string;
  readonly model: { readonly model: string; readonly files?: ModelFiles };
  readonly release: SimulatedRelease;
  readonly ttlSeconds: number;
  readonly scheduler: SchedulerLike;
}

/** What a simulated worker does. */
export type LiveWorkerEvent =
  /** It registered, left, or could not be registered; with its keys as they are afterwards. */
  | { readonly registration: WorkerStatus; readonly keys: readonly KeyChange[] }
  /** It publishes a message. A worker of 0.6 publishes none; these are the loads that the next scrape returns. */
  | { readonly message: Message }
  /** The status of the service of a worker of 0.6. */
  | { readonly service: SourceStatus };

/** How long a leaving worker waits, so that its last loads are sent before its keys are removed. */
const FLUSH_MS = 1_000;
/** The interval over which the loads of a worker's ranks are spread; they are simulated every 200 ms. */
const SPREAD_MS = 150;

/**
 * Runs one simulated worker like a real one.
 *
 * 1. It registers under its own lease, which gives it its id.
 * 2. It publishes the messages that a worker of its release publishes.
 * 3. When its loads end, the last ones are sent before the lease is revoked, so that a watching process receives all of
 *    them before the worker leaves.
 */
export function liveWorker(
  worker: SimulatedWorker,
  loads$: Observable<ActiveLoad>,
  options: LiveWorkerOptions,
): Observable<LiveWorkerEvent> {
  const { etcd, linked$, namespace, model, release, ttlSeconds, scheduler } = options;
  const endpoint = { ...worker.endpoint, namespace };
  const card = { ...model, role: worker.role, userData: SIMULATION_MARK, runtimeConfig: worker.config };
  const reached = release === '0.6' ? reachedOverNats(endpoint) : reachedOverTcp;
  const described: WorkerKeysOptions = { ...endpoint, ...reached, card, release };
  const keysOf = workerKeys(described);

  return defer(() => {
    const id$ = new ReplaySubject<WorkerId>(1);
    const stop$ = new ReplaySubject<void>(1);
    const registration$ = registerWorker({ etcd, ...described, ttlSeconds, stop$ }).pipe(
      tap(({ state, workerId }) => {
        if (state !== 'registered' || workerId === null) return;
        id$.next(workerId);
        id$.complete();
      }),
      map((registration): LiveWorkerEvent => {
        const { state, workerId } = registration;
        const entries = workerId === null ? [] : keysOf(workerId);
        if (state === 'registered') return { registration, keys: entries };
        return { registration, keys: state === 'ended' ? entries.map(({ key }) => ({ key })) : [] };
      }),
    );
    const over$ = loads$.pipe(ignoreElements(), endWith(null), delay(FLUSH_MS, scheduler));
    const published$ = forkJoin([id$, linked$]).pipe(
      switchMap(([workerId]) => publishedLoads(worker, loads$, { ...options, endpoint, workerId })),
    );
    const working$ = merge(published$, NEVER).pipe(takeUntil(over$));
    const left$ = defer(() => {
      stop$.next();
      return EMPTY;
    });
    return merge(registration$, concat(working$, left$));
  });
}

const reachedOverTcp = { transport: { kind: 'tcp', address: '127.0.0.1:9000' } } as const;

/** In the records of 0.6, requests go to a NATS subject, and the statistics are a separate endpoint. */
function reachedOverNats({
  namespace,
  component,
}: EndpointName): Pick<WorkerKeysOptions, 'transport' | 'moreEndpoints'> {
  const service = serviceName(namespace, component);
  return {
    transport: (id, endpoint) => ({ kind: 'nats_tcp', address: serviceSubject(service, endpoint, id) }),
    moreEndpoints: [LOAD_METRICS_ENDPOINT],
  };
}

interface PublishingOptions extends LiveWorkerOptions {
  readonly endpoint: EndpointName;
  readonly workerId: WorkerId;
}

function publishedLoads(
  { config }: SimulatedWorker,
  simulated$: Observable<ActiveLoad>,
  { nats, endpoint, workerId, release, scheduler }: PublishingOptions,
): Observable<LiveWorkerEvent> {
  const loads$ = simulated$.pipe(
    spreadRanks(config.dataParallelSize ?? 1, scheduler),
    map((load): ActiveLoad => ({ ...load, workerId })),
  );
  // Real messages of 0.6 do not exist, so these have the format of the next release.
  const format = release === '1.6' ? '1.6' : '1.0';
  const toMessages = (publisherId: string) =>
    loadMessages({
      endpoint,
      as: release === '0.6' ? 'router' : 'worker',
      release: format,
      publisherId,
      scheduler,
    });
  if (release !== '0.6')
    return loads$.pipe(
      toMessages(release === '1.0' ? workerId : randomPublisherId()),
      map((message) => ({ message })),
    );
  const totalKvBlocks = Number(config.totalKvBlocks ?? 0);
  const answered$ = answerScrapes(loads$, { nats, endpoint, workerId, totalKvBlocks }).pipe(share());
  return merge(
    answered$.pipe(
      filter((item) => 'dpRank' in item),
      toMessages(workerId),
      map((message) => ({ message })),
    ),
    answered$.pipe(
      filter((item) => 'state' in item),
      map((service) => ({ service })),
    ),
  );
}

/** 64 random bits. */
function randomPublisherId(): string {
  const bits = (): bigint => BigInt(Math.floor(Math.random() * 2 ** 32));
  return ((bits() << 32n) | bits()).toString();
}

/**
 * Delays the ranks one after the other, as in a real worker. If all came at the same moment, a worker of 1.0 would publish
 * only one of them.
 */
function spreadRanks(ranks: number, scheduler: SchedulerLike): MonoTypeOperatorFunction<ActiveLoad> {
  if (ranks === 1) return identity;
  return mergeMap((load) =>
    load.dpRank === 0 ? of(load) : timer((load.dpRank * SPREAD_MS) / ranks, scheduler).pipe(map(() => load)),
  );
}
