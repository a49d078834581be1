import { distinctUntilChanged, ignoreElements, map, merge, tap, type Observable } from 'rxjs';
import type { NatsLink } from '../adapters/nats/nats-link.js';
import { serveStats } from '../adapters/nats/serve-stats.js';
import type { ActiveLoad } from '../core/active-load.js';
import type { ForwardPassMetrics } from '../core/aggregator/forward-pass-metrics.js';
import type { EndpointName } from '../core/endpoint-name.js';
import type { RuntimeConfig } from '../core/runtime-config.js';
import type { WorkerId } from '../core/worker-id.js';
import { encodeForwardPassMetrics } from '../wire/encode-forward-pass-metrics.js';
import { serviceName, serviceSubject } from '../wire/service-names.js';

/** The endpoint whose statistics are a worker's load, up to 0.6. */
export const LOAD_METRICS = 'load_metrics';

/** A worker of 0.6 that is asked for its load. */
export interface ScrapedWorker {
  readonly link: NatsLink;
  readonly place: EndpointName;
  readonly workerId: WorkerId;
  readonly config: RuntimeConfig;
  /** Each load that a scrape finds from now on. */
  readonly published: (load: ActiveLoad) => void;
}

const SLOTS = 256;

/** Answers scrapes with the present load, as an instance of its component's micro service; it emits nothing. */
export function answeredScrapes(
  loads$: Observable<ActiveLoad>,
  { link, place, workerId, config, published }: ScrapedWorker,
): Observable<never> {
  const { namespace, component } = place;
  const name = serviceName(namespace, component);
  const total = Number(config.totalKvBlocks ?? 0);
  let active = 0;
  const serving$ = serveStats(
    link,
    { name, description: `Dynamo component ${component} in namespace ${namespace}` },
    [
      { subject: serviceSubject(name, place.endpoint, workerId) },
      {
        subject: serviceSubject(name, LOAD_METRICS, workerId),
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
      published({ workerId, dpRank: 0, activeDecodeBlocks: blocks, ...silent });
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
