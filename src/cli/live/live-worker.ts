import { randomBytes } from 'node:crypto';
import {
  EMPTY,
  type MonoTypeOperatorFunction,
  Observable,
  ReplaySubject,
  type SchedulerLike,
  Subject,
  concat,
  defer,
  delay,
  distinctUntilChanged,
  endWith,
  forkJoin,
  ignoreElements,
  map,
  merge,
  mergeMap,
  of,
  switchMap,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import type { EtcdOptions } from '../../adapters/etcd/etcd-options.js';
import { type RegisterWorkerOptions, registerWorker } from '../../adapters/etcd/register-worker.js';
import type { RegistrationStatus } from '../../adapters/etcd/registration.js';
import type { NatsLink } from '../../adapters/nats/nats-link.js';
import { type PublisherStatus, natsPublisher } from '../../adapters/nats/nats-publisher.js';
import { selectPublications } from '../../adapters/nats/publication-rules.js';
import { serveStats } from '../../adapters/nats/serve-stats.js';
import type { ForwardPassMetrics } from '../../core/aggregator/load-metrics.js';
import type { ActiveLoad, LoadReceived, RuntimeConfig } from '../../core/events/fleet-event.js';
import type { EndpointName } from '../../core/sources/worker-info.js';
import type { WorkerId } from '../../core/worker-id.js';
import type { SimulatedEvent } from '../../simulator/simulated-worker.js';
import { decodeDiscoveryRecord } from '../../wire/discovery/discovery-record.js';
import type { ModelFiles } from '../../wire/discovery/encode-discovery-record.js';
import type { LoadDecoder } from '../../wire/loads/load-decoder.js';
import { encodeForwardPassMetrics } from '../../wire/services/forward-pass-metrics.js';
import { serviceName, serviceSubject } from '../../wire/services/service-names.js';

/** The releases whose workers can be simulated: those of 0.6 are asked for their load, the others publish it. */
export type SimulatedRelease = '0.6' | '1.0' | '1.6';

/** Where simulated workers live, and as what. */
export interface LiveWorkerOptions {
  readonly etcd: EtcdOptions;
  /** One connection for all; `linked$` emits when it stood for the first time. */
  readonly link: NatsLink;
  readonly linked$: Observable<unknown>;
  readonly endpoint: EndpointName;
  readonly model: { readonly model: string; readonly files?: ModelFiles };
  readonly release: SimulatedRelease;
  readonly ttlSeconds: number;
  /** Each load as it is published, or stands ready for whoever asks, with the worker's id. */
  readonly onPublished: (load: ActiveLoad) => void;
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
export function liveWorker(life: WorkerLife, options: LiveWorkerOptions): Observable<RegistrationStatus> {
  const { config, loads$ } = life;
  const { endpoint, etcd, linked$, model, release, ttlSeconds, scheduler } = options;
  return defer(() => {
    const id$ = new ReplaySubject<WorkerId>(1);
    const stop$ = new ReplaySubject<void>(1);
    const registration$ = registerWorker({
      ...etcd,
      ...endpoint,
      ...(release === '0.6' ? reachedOverNats(endpoint) : reachedOverTcp),
      card: { ...model, runtimeConfig: config },
      release,
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
        release === '0.6'
          ? answerScrapes(loads$, { ...options, config, workerId })
          : publishedLoads(life, workerId, release, options),
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

const reachedOverTcp = { transport: { kind: 'tcp', address: '127.0.0.1:9000' } } as const;

/** As the records of 0.6 have it: requests go to a subject, and the statistics are an endpoint of their own. */
function reachedOverNats({
  namespace,
  component,
}: EndpointName): Pick<RegisterWorkerOptions, 'transport' | 'moreEndpoints'> {
  const service = serviceName(namespace, component);
  return {
    transport: (id, endpoint) => ({ kind: 'nats_tcp', address: serviceSubject(service, endpoint, id) }),
    moreEndpoints: [LOAD_METRICS_ENDPOINT],
  };
}

function publishedLoads(
  { config, loads$ }: WorkerLife,
  workerId: WorkerId,
  release: '1.0' | '1.6',
  { link, endpoint, onPublished, scheduler }: LiveWorkerOptions,
): Observable<PublisherStatus> {
  return loads$.pipe(
    spreadRanks(config.dataParallelSize ?? 1, scheduler),
    map((load) => ({ ...load, workerId })),
    // What a worker publishes is decided here, so that it is known; the publisher then sends each at once.
    selectPublications('worker', release, scheduler),
    tap(onPublished),
    natsPublisher({
      connection: link,
      endpoint,
      as: 'router',
      release,
      publisherId: release === '1.0' ? workerId : randomBytes(8).readBigUInt64BE().toString(),
    }),
  );
}

/** Ranks report one after the other, as those of a real worker do; at once, a worker of 1.0 would publish only one. */
function spreadRanks(ranks: number, scheduler: SchedulerLike): MonoTypeOperatorFunction<ActiveLoad> {
  return mergeMap((load) =>
    load.dpRank === 0 ? of(load) : timer((load.dpRank * SPREAD_MS) / ranks, scheduler).pipe(map(() => load)),
  );
}

/** A simulated worker from when it comes to when it leaves; its loads complete then. */
export interface WorkerLife {
  readonly config: RuntimeConfig;
  readonly loads$: Observable<ActiveLoad>;
}

/**
 * What a simulated fleet does, as lives of workers: one for each time that a worker comes. The ids that the simulator
 * made up tell them apart and go no further: a worker that comes back is a new one. When the facts end, so do all lives.
 */
export function workerLives(
  events$: Observable<SimulatedEvent>,
  decoder: LoadDecoder,
): Observable<WorkerLife> {
  return new Observable((subscriber) => {
    const lives = new Map<WorkerId, Subject<ActiveLoad>>();
    const end = (id: WorkerId): void => {
      lives.get(id)?.complete();
      lives.delete(id);
    };
    const subscription = events$.subscribe({
      next: (fact) => {
        if ('payload' in fact) {
          const load = decodeLoadOrNull(fact.payload, decoder);
          if (load !== null) lives.get(load.workerId)?.next(load);
          return;
        }
        const record = decodeDiscoveryRecord(fact);
        if ('error' in record || record.kind !== 'model' || record.instanceId === null) return;
        end(record.instanceId);
        if (record.removed) return;
        const loads$ = new Subject<ActiveLoad>();
        lives.set(record.instanceId, loads$);
        subscriber.next({ config: record.runtimeConfig, loads$ });
      },
      error: (error: unknown) => subscriber.error(error),
      complete: () => {
        for (const id of [...lives.keys()]) end(id);
        subscriber.complete();
      },
    });
    return subscription;
  });
}

function decodeLoadOrNull(payload: Uint8Array, decoder: LoadDecoder): LoadReceived | null {
  const decoded = decoder.decode(payload);
  return 'load' in decoded ? decoded.load : null;
}

/** The endpoint whose statistics are a worker's load, up to 0.6. */
export const LOAD_METRICS_ENDPOINT = 'load_metrics';

/** A worker of 0.6 that is asked for its load. */
export interface ScrapedWorker {
  readonly link: NatsLink;
  readonly endpoint: EndpointName;
  readonly workerId: WorkerId;
  readonly config: RuntimeConfig;
  /** Each load that a scrape finds from now on. */
  readonly onPublished: (load: ActiveLoad) => void;
}

const SLOTS = 256;

/** Answers scrapes with the present load, as an instance of its component's micro service; it emits nothing. */
export function answerScrapes(
  loads$: Observable<ActiveLoad>,
  { link, endpoint, workerId, config, onPublished }: ScrapedWorker,
): Observable<never> {
  const { namespace, component } = endpoint;
  const name = serviceName(namespace, component);
  const total = Number(config.totalKvBlocks ?? 0);
  let active = 0;
  const serving$ = serveStats(
    link,
    { name, description: `Dynamo component ${component} in namespace ${namespace}` },
    [
      { subject: serviceSubject(name, endpoint.endpoint, workerId) },
      {
        subject: serviceSubject(name, LOAD_METRICS_ENDPOINT, workerId),
        stats: () => ({ data: encodeForwardPassMetrics(metricsOf(active, total)) }),
      },
    ],
  );
  const present$ = loads$.pipe(
    map(({ activeDecodeBlocks }) => Number(activeDecodeBlocks ?? 0)),
    distinctUntilChanged(),
    tap((blocks) => {
      active = blocks;
      const silent = { activePrefillTokens: null, kvUsedBlocks: null };
      onPublished({ workerId, dpRank: 0, activeDecodeBlocks: blocks, ...silent });
    }),
  );
  return merge(serving$, present$).pipe(ignoreElements());
}

function metricsOf(active: number, total: number): ForwardPassMetrics {
  const usage = total === 0 ? 0 : active / total;
  return {
    workerStats: {
      dataParallelRank: null,
      requestActiveSlots: Math.round(usage * SLOTS),
      requestTotalSlots: SLOTS,
      numRequestsWaiting: 0,
    },
    kvStats: {
      kvActiveBlocks: active,
      kvTotalBlocks: total,
      gpuCacheUsagePerc: usage,
      gpuPrefixCacheHitRate: 0,
    },
    specDecodeStats: null,
  };
}
