import type { Endpoint, ForwardPassMetrics } from '../../src/core/aggregator/load-metrics.js';
import type { Count } from '../../src/core/count.js';
import { workerId } from '../../src/core/worker-id.js';
import { encodeForwardPassMetrics } from '../../src/wire/services/forward-pass-metrics.js';
import { encodeServiceStats } from '../../src/wire/services/service-encoder.js';
import { serviceEndpointName, serviceSubject } from '../../src/wire/services/service-names.js';

/** The metrics of an engine with this number of active blocks. */
export function metricsOf(kvActiveBlocks: Count, dataParallelRank: number | null = null): ForwardPassMetrics {
  return {
    workerStats: { dataParallelRank, requestActiveSlots: 3, requestTotalSlots: 256, numRequestsWaiting: 0 },
    kvStats: { kvActiveBlocks, kvTotalBlocks: 4096, gpuCacheUsagePerc: 0.25, gpuPrefixCacheHitRate: 0.5 },
    specDecodeStats: null,
  };
}

/** A scraped endpoint of a worker. */
export function scrapedEndpoint(id: string, kvActiveBlocks: Count, rank: number | null = null): Endpoint {
  const subject = serviceSubject('dynamo_backend', 'load_metrics', workerId(id));
  const data = { engineLoadMetrics: metricsOf(kvActiveBlocks, rank) };
  return { name: serviceEndpointName(subject), subject, workerId: workerId(id), data };
}

/** A worker's reply to a scrape: its `generate` endpoint, and its `load_metrics`. */
export function statsReply(id: string, metrics: ForwardPassMetrics): Uint8Array {
  const counters = { numRequests: 0, numErrors: 0, processingTime: 0, averageProcessingTime: 0 };
  const endpoints = ['generate', 'load_metrics'].map((endpoint) => {
    const subject = serviceSubject('dynamo_backend', endpoint, workerId(id));
    const data = endpoint === 'generate' ? null : encodeForwardPassMetrics(metrics);
    return { name: serviceEndpointName(subject), subject, ...counters, lastError: '', queueGroup: 'q', data };
  });
  const service = { name: 'dynamo_backend', id: `service-of-${id}`, version: '0.0.1' };
  return encodeServiceStats({ ...service, started: '2025-08-08T05:07:17Z', endpoints });
}
