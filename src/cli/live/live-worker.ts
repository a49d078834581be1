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
import {
  type RegisterWorkerOptions,
  type WorkerStatus,
  registerWorker,
} from '../../fleet/register-worker.js';
import type { NatsLink } from '../../adapters/nats/nats-link.js';
import { type PublisherStatus, natsPublisher } from '../../adapters/nats/nats-publisher.js';
import { loadMessages } from '../../dynamo/publishing/load-messages.js';
import { selectPublications } from '../../dynamo/publishing/publication-rules.js';
import { serveStats } from '../../adapters/nats/serve-stats.js';
import type { ForwardPassMetrics } from '../../core/aggregator/load-metrics.js';
import type { ActiveLoad, LoadReceived, RuntimeConfig } from '../../core/events/fleet-event.js';
import type { EndpointName } from '../../core/sources/worker-info.js';
import type { WorkerId } from '../../core/worker-id.js';
import type { SimulatedEvent } from '../../simulator/simulated-worker.js';
import { decodeDiscoveryRecord } from '../../dynamo/discovery/discovery-record.js';
import type { ModelFiles } from '../../wire/discovery/encode-discovery-record.js';
import type { LoadDecoder } from '../../wire/loads/load-decoder.js';
import { encodeForwardPassMetrics } from '../../wire/services/forward-pass-metrics.js';
import { LOAD_METRICS_ENDPOINT, serviceName, serviceSubject } from '../../wire/services/service-names.js';

/** The releases whose workers can be simulated. Workers of 0.6 answer scrapes; the others publish their load. */
export type SimulatedRelease = '0.6' | '1.0' | '1.6';

/** How simulated workers register and publish. */
export interface LiveWorkerOptions {
  readonly etcd: EtcdOptions;
  /** The connection that all workers share. */
  readonly link: NatsLink;
  /** Emits when the connection is first established. */
  readonly linked$: Observable<unknown>;
  readonly endpoint: EndpointName;
  readonly model: { readonly model: string; readonly files?: ModelFiles };
  readonly release: SimulatedRelease;
  readonly ttlSeconds: number;
  /** Called with each load when it is published, or when the next scrape would return it. */
  readonly onPublished: (load: ActiveLoad) => void;
  readonly scheduler: SchedulerLike;
}

/** How long a leaving worker waits for its last loads to be sent. */
const FLUSH_MS = 1_000;
/** The interval over which the loads of a worker's ranks are spread; they are simulated every 200 ms. */
const SPREAD_MS = 150;

/**
 * Runs one simulated worker like a real one.
 *
 * 1. It registers under its own lease, which gives it its id.
 * 2. It publishes the messages that a worker of its release publishes.
 * 3. When its loads end, the last ones are flushed before the lease is revoked, so that a watching process receives all
 *    of them before the worker leaves.
 */
export function liveWorker(life: WorkerLife, options: LiveWorkerOptions): Observable<WorkerStatus> {
  const { config, loads$ } = life;
  const { endpoint, etcd, linked$, model, release, ttlSeconds, scheduler } = options;
  return defer(() => {
    const id$ = new ReplaySubject<WorkerId>(1);
    const stop$ = new ReplaySubject<void>(1);
    const registration$ = registerWorker({
      etcd,
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

/** In the records of 0.6, requests go to a NATS subject, and the statistics are a separate endpoint. */
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
    // The selection is made here, so that `onPublished` sees it; the publisher then sends each load immediately.
    selectPublications('worker', release, scheduler),
    tap(onPublished),
    loadMessages({
      endpoint,
      as: 'router',
      release,
      publisherId: release === '1.0' ? workerId : randomBytes(8).readBigUInt64BE().toString(),
    }),
    natsPublisher({ connection: link }),
  );
}

/**
 * Delays the ranks one after the other, as in a real worker. If all came at the same moment, a worker of 1.0 would publish
 * only one of them.
 */
function spreadRanks(ranks: number, scheduler: SchedulerLike): MonoTypeOperatorFunction<ActiveLoad> {
  return mergeMap((load) =>
    load.dpRank === 0 ? of(load) : timer((load.dpRank * SPREAD_MS) / ranks, scheduler).pipe(map(() => load)),
  );
}

/** A simulated worker from the moment it joins until it leaves. Its loads then complete. */
export interface WorkerLife {
  readonly config: RuntimeConfig;
  readonly loads$: Observable<ActiveLoad>;
}

/**
 * Splits the events of a simulated fleet by worker: emits a `WorkerLife` each time a worker joins. The ids of the
 * simulator only distinguish the workers here; a worker that comes back is a new one. When the events end, all lives end.
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
      next: (event) => {
        if ('payload' in event) {
          const load = decodeLoadOrNull(event.payload, decoder);
          if (load !== null) lives.get(load.workerId)?.next(load);
          return;
        }
        const record = decodeDiscoveryRecord(event);
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

/** A worker of 0.6, which is polled for its load. */
export interface ScrapedWorker {
  readonly link: NatsLink;
  readonly endpoint: EndpointName;
  readonly workerId: WorkerId;
  readonly config: RuntimeConfig;
  /** Called with each load that scrapes return from now on. */
  readonly onPublished: (load: ActiveLoad) => void;
}

const SLOTS = 256;

/** Answers scrapes with the current load, as an instance of the component's NATS micro service. It emits nothing. */
function answerScrapes(
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
  const current$ = loads$.pipe(
    map(({ activeDecodeBlocks }) => Number(activeDecodeBlocks ?? 0)),
    distinctUntilChanged(),
    tap((blocks) => {
      active = blocks;
      const absent = { activePrefillTokens: null, kvUsedBlocks: null };
      onPublished({ workerId, dpRank: 0, activeDecodeBlocks: blocks, ...absent });
    }),
  );
  return merge(serving$, current$).pipe(ignoreElements());
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
