import { type Observable, distinctUntilChanged, filter, map, merge, tap } from 'rxjs';
import type { NatsConnectionOptions } from '../../adapters/nats/nats-options.js';
import { type ServeStatus, serveStats } from '../../adapters/nats/serve-stats.js';
import type { ForwardPassMetrics } from '../../core/aggregator/load-metrics.js';
import type { ActiveLoad } from '../../core/events/fleet-event.js';
import type { EndpointName } from '../../core/sources/worker-info.js';
import type { WorkerId } from '../../core/worker-id.js';
import { encodeForwardPassMetrics } from '../../wire/services/forward-pass-metrics.js';
import { LOAD_METRICS_ENDPOINT, serviceName, serviceSubject } from '../../wire/services/service-names.js';

/** A worker of 0.6, which is polled for its load. */
export interface ScrapedWorker {
  readonly nats: NatsConnectionOptions;
  readonly endpoint: EndpointName;
  readonly workerId: WorkerId;
  readonly totalKvBlocks: number;
}

const SLOTS = 256;

/**
 * Answers scrapes with the current load, as an instance of the component's NATS micro service. It has its own connection,
 * like the process of a real worker. Emits each load that scrapes return from now on, and the status of the service.
 */
export function answerScrapes(
  loads$: Observable<ActiveLoad>,
  { nats, endpoint, workerId, totalKvBlocks }: ScrapedWorker,
): Observable<ActiveLoad | ServeStatus> {
  const { namespace, component } = endpoint;
  const name = serviceName(namespace, component);
  let active = 0;
  const serving$ = serveStats(
    nats,
    { name, description: `Dynamo component ${component} in namespace ${namespace}` },
    [
      { subject: serviceSubject(name, endpoint.endpoint, workerId) },
      {
        subject: serviceSubject(name, LOAD_METRICS_ENDPOINT, workerId),
        stats: () => ({ data: encodeForwardPassMetrics(metricsOf(active, totalKvBlocks)) }),
      },
    ],
  ).pipe(filter(({ state }) => state !== 'ended'));
  const current$ = loads$.pipe(
    map(({ activeDecodeBlocks }) => Number(activeDecodeBlocks ?? 0)),
    distinctUntilChanged(),
    tap((blocks) => (active = blocks)),
    map((activeDecodeBlocks): ActiveLoad => ({
      ...{ workerId, dpRank: 0, activeDecodeBlocks },
      ...{ activePrefillTokens: null, kvUsedBlocks: null },
    })),
  );
  return merge(serving$, current$);
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
