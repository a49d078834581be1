import type { ForwardPassMetrics } from '../../src/core/aggregator/load-metrics.js';

/** The metrics that a worker of Dynamo up to 0.6 publishes, with Dynamo's names, without speculative decoding. */
export interface PublishedMetrics {
  readonly worker_stats: {
    readonly request_active_slots: number;
    readonly request_total_slots: number;
    readonly num_requests_waiting: number;
    readonly data_parallel_rank: number | null;
  };
  readonly kv_stats: {
    readonly kv_active_blocks: number;
    readonly kv_total_blocks: number;
    readonly gpu_cache_usage_perc: number;
    readonly gpu_prefix_cache_hit_rate: number;
  };
}

/** The same with tidemark's names, in single precision where Dynamo uses it. */
export function publishedMetrics({
  worker_stats: worker,
  kv_stats: kv,
}: PublishedMetrics): ForwardPassMetrics {
  return {
    workerStats: {
      dataParallelRank: worker.data_parallel_rank,
      requestActiveSlots: worker.request_active_slots,
      requestTotalSlots: worker.request_total_slots,
      numRequestsWaiting: worker.num_requests_waiting,
    },
    kvStats: {
      kvActiveBlocks: kv.kv_active_blocks,
      kvTotalBlocks: kv.kv_total_blocks,
      gpuCacheUsagePerc: Math.fround(kv.gpu_cache_usage_perc),
      gpuPrefixCacheHitRate: Math.fround(kv.gpu_prefix_cache_hit_rate),
    },
    specDecodeStats: null,
  };
}
