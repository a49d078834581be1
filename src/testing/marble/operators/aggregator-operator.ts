import { defer, EMPTY, map, type Observable, type SchedulerLike } from 'rxjs';
import type { MetricsAggregatorOptions } from '../../../core/aggregator/aggregator-options.js';
import { aggregatorPolicies } from '../../../core/aggregator/aggregator-policy.js';
import { metricsAggregator } from '../../../core/aggregator/metrics-aggregator.js';
import type { ProcessedEndpoints } from '../../../core/aggregator/processed-endpoints.js';
import type { Scrape } from '../../../core/aggregator/scrape.js';
import { workerId } from '../../../core/worker-id.js';
import type { JsonValue } from '../../../wire/json/json-value.js';
import { encodeForwardPassMetrics } from '../../../wire/services/forward-pass-metrics.js';
import { encodeServiceStats, type ServiceEndpointCounters } from '../../../wire/services/service-encoder.js';
import { serviceEndpointName, serviceSubject } from '../../../wire/services/service-names.js';
import { decodeServiceStats } from '../../../wire/services/service-stats.js';
import type { MarbleContext, MarbleOperator, MarbleOutputs } from '../run/marble-operator.js';

const SERVICE = 'dynamo_backend';
const ENDPOINT = 'load_metrics';

/**
 * `metricsAggregator({ policy: 'compat', waitMs: 300, longestWaitMs: 300, maxScrapeMs: 900 })`: an aggregator whose
 * scrapes are the inputs, one for each round, in their order. Further rounds use the last input.
 *
 * 1. Inputs should be cold. A letter is a reply: `{"16": 40}` for worker 16 with 40 active blocks, with any number of
 *    workers, or a text, which is a reply that cannot be read. `{"16": {"0": 40, "1": 60}}` has an entry for each of two
 *    ranks. `#` is a scrape that fails with that text.
 * 2. Outputs: `endpoints` and `late`, two subscribers to the snapshots (`{avg, blocks}`; the average is null without
 *    workers, and the blocks have the form of the replies), `problems` (codes), `status` (states).
 */
export const aggregatorOperator: MarbleOperator = {
  read: (value) => value,
  build: (args, context) => {
    const { scheduler } = context;
    const settings = settingsOf(args);
    const { endpoints$, problems$, status$ } = metricsAggregator(scrapesOf(context), {
      ...settings,
      service: SERVICE,
      endpoint: ENDPOINT,
      decode: decodeServiceStats,
      scheduler,
    });
    const snapshots$ = endpoints$.pipe(map(snapshotJson));
    return {
      endpoints: snapshots$,
      late: snapshots$,
      problems: problems$.pipe(map(({ code }) => code)),
      status: status$.pipe(map(({ state }) => state)),
    } satisfies MarbleOutputs;
  },
};

/** The inputs as one scrape: the first subscription is the first input, and so on. */
function scrapesOf({ inputs, scheduler }: MarbleContext): Scrape {
  const scrapes = Object.values(inputs);
  let round = 0;
  return defer(() => {
    const scrape$ = scrapes[Math.min(round, scrapes.length - 1)] ?? EMPTY;
    round += 1;
    return (scrape$ as Observable<JsonValue>).pipe(
      map((reply) => ({ data: replyOf(reply, scheduler), receivedAt: scheduler.now() })),
    );
  });
}

function replyOf(reply: JsonValue, scheduler: SchedulerLike): Uint8Array {
  try {
    if (typeof reply === 'string') return Uint8Array.from(reply, (letter) => letter.charCodeAt(0));
    if (typeof reply !== 'object' || reply === null || Array.isArray(reply))
      throw new Error(
        'a reply must be an object with the active blocks of each worker, such as {"16": 40}, or a text',
      );
    const endpoints = Object.entries(reply).flatMap(([id, blocks]) => endpointsOf(id, blocks));
    return encodeServiceStats({ name: SERVICE, id: 'x', version: '0.0.1', started: '', endpoints });
  } catch (error) {
    // The aggregator would treat this as an error of the scrape, so it is also thrown outside of the streams.
    scheduler.schedule(() => {
      throw error;
    });
    throw error;
  }
}

/** The entries of a worker: one, or one for each rank. */
function endpointsOf(id: string, blocks: JsonValue): ServiceEndpointCounters[] {
  if (typeof blocks !== 'object' || blocks === null || Array.isArray(blocks))
    return [endpointOf(id, null, blocks)];
  return Object.entries(blocks).map(([rank, ofRank]) => endpointOf(id, Number(rank), ofRank));
}

function endpointOf(id: string, dataParallelRank: number | null, blocks: JsonValue): ServiceEndpointCounters {
  if (typeof blocks !== 'number')
    throw new Error('active blocks must be a number, or an object with the number of each rank');
  const subject = serviceSubject(SERVICE, ENDPOINT, workerId(id));
  return {
    name: serviceEndpointName(subject),
    subject,
    numRequests: 0,
    numErrors: 0,
    processingTime: 0,
    averageProcessingTime: 0,
    lastError: '',
    queueGroup: 'q',
    data: encodeForwardPassMetrics({
      workerStats: {
        dataParallelRank,
        requestActiveSlots: 0,
        requestTotalSlots: 0,
        numRequestsWaiting: 0,
      },
      kvStats: { kvActiveBlocks: blocks, kvTotalBlocks: 100, gpuCacheUsagePerc: 0, gpuPrefixCacheHitRate: 0 },
      specDecodeStats: null,
    }),
  };
}

function snapshotJson({ loadAvg, endpoints }: ProcessedEndpoints): JsonValue {
  const blocks: Record<string, JsonValue> = {};
  for (const { workerId: id, data } of endpoints) {
    if (!('engineLoadMetrics' in data)) continue;
    const { workerStats, kvStats } = data.engineLoadMetrics;
    const rank = workerStats.dataParallelRank;
    blocks[id] =
      rank === null
        ? kvStats.kvActiveBlocks
        : { ...(blocks[id] as Record<string, JsonValue> | undefined), [rank]: kvStats.kvActiveBlocks };
  }
  return { avg: Number.isNaN(loadAvg) ? null : loadAvg, blocks };
}

const timeOptions = ['waitMs', 'longestWaitMs', 'maxScrapeMs'] as const;

function settingsOf(
  args: readonly JsonValue[],
): Pick<MetricsAggregatorOptions, 'policy' | (typeof timeOptions)[number]> {
  const [given = {}, second] = args;
  if (second !== undefined || typeof given !== 'object' || given === null || Array.isArray(given))
    throw new Error('it takes one object, such as { waitMs: 300 }');
  const { policy = 'default', ...rest } = given as Readonly<Record<string, JsonValue>>;
  if (policy !== 'default' && policy !== 'compat') throw new Error('policy must be default or compat');
  const entries = Object.entries(rest).map(([name, ms]) => {
    if (!(timeOptions as readonly string[]).includes(name) || typeof ms !== 'number')
      throw new Error(
        `${name} is not an option, or not a number; the options are policy, ${timeOptions.join(', ')}`,
      );
    return [name, ms] as const;
  });
  return { policy: aggregatorPolicies[policy], ...Object.fromEntries(entries) };
}
