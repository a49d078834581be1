import type { ForwardPassMetrics, SpecDecodeStats } from '../core/aggregator/forward-pass-metrics.js';

/** The shape of the JSON: `nested` from 0.3.2 on, `flat` before. */
export type MetricsForm = 'nested' | 'flat';

/**
 * `ForwardPassMetrics` as the JSON text that an engine's statistics hold, all fields, in the order of the original.
 *
 * The two fractions are rounded to single precision and written in full, as the original does in a STATS reply.
 *
 * @example
 * ```ts
 * import { encodeForwardPassMetrics } from 'tidemark/wire';
 *
 * const text = encodeForwardPassMetrics({
 *   workerStats: { dataParallelRank: null, requestActiveSlots: 3, requestTotalSlots: 256, numRequestsWaiting: 0 },
 *   kvStats: { kvActiveBlocks: 120, kvTotalBlocks: 4096, gpuCacheUsagePerc: 0.1, gpuPrefixCacheHitRate: 0.5 },
 *   specDecodeStats: null,
 * });
 * console.log(text.split(/"kv_stats":|,"gpu_prefix/)[1]);
 * // Logs: {"kv_active_blocks":120,"kv_total_blocks":4096,"gpu_cache_usage_perc":0.10000000149011612
 * ```
 */
export function encodeForwardPassMetrics(metrics: ForwardPassMetrics, form: MetricsForm = 'nested'): string {
  const { workerStats: worker, kvStats: kv, specDecodeStats: spec } = metrics;
  const rank = `"data_parallel_rank":${worker.dataParallelRank}`;
  const slots = `"request_active_slots":${worker.requestActiveSlots},"request_total_slots":${worker.requestTotalSlots}`;
  const waiting = `"num_requests_waiting":${worker.numRequestsWaiting}`;
  const blocks = `"kv_active_blocks":${kv.kvActiveBlocks},"kv_total_blocks":${kv.kvTotalBlocks}`;
  const fractions =
    `"gpu_cache_usage_perc":${singleText(kv.gpuCacheUsagePerc)}` +
    `,"gpu_prefix_cache_hit_rate":${singleText(kv.gpuPrefixCacheHitRate)}`;
  if (form === 'flat') return `{${rank},${slots},${blocks},${waiting},${fractions}}`;
  return (
    `{"worker_stats":{${rank},${slots},${waiting}},"kv_stats":{${blocks},${fractions}}` +
    `,"spec_decode_stats":${spec === null ? null : specText(spec)}}`
  );
}

function specText(spec: SpecDecodeStats): string {
  return JSON.stringify({
    num_spec_tokens: spec.numSpecTokens,
    num_drafts: spec.numDrafts,
    num_draft_tokens: spec.numDraftTokens,
    num_accepted_tokens: spec.numAcceptedTokens,
    num_accepted_tokens_per_pos: spec.numAcceptedTokensPerPos,
  });
}

/** A single-precision float as a JSON number; `null` for what JSON has no number for. A whole one keeps its point. */
function singleText(value: number): string {
  const single = Math.fround(value);
  if (!Number.isFinite(single)) return 'null';
  const text = Object.is(single, -0) ? '-0' : String(single);
  return /^-?[0-9]+$/.test(text) ? `${text}.0` : text;
}
