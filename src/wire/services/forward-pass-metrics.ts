import type {
  ForwardPassMetrics,
  KvStats,
  SpecDecodeStats,
  WorkerStats,
} from '../../core/aggregator/load-metrics.js';
import { type Count, countOf } from '../../core/count.js';
import { jsonReady } from '../../core/ordinary-value.js';
import { type DecodeError, catchDecodeFailure } from '../decode-error.js';
import { type StructFields, itemsOf, numberOf, readStruct, u32Of, uintOf } from '../json/json-fields.js';
import { type JsonNode, parseLosslessJson } from '../json/lossless-json.js';
import { parseSingle } from '../json/rust-json.js';

/** The form of the JSON: `nested` since 0.3.2, `flat` before. */
export type MetricsForm = 'nested' | 'flat';

/**
 * Encodes `ForwardPassMetrics` as JSON text, with all fields in the order of the original.
 *
 * As in a STATS reply of the original, the two fractions are rounded to single precision and written in full.
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

/** A single-precision float as JSON; `null` for NaN and infinities. A whole number keeps its decimal point. */
function singleText(value: number): string {
  const single = Math.fround(value);
  if (!Number.isFinite(single)) return 'null';
  const text = Object.is(single, -0) ? '-0' : String(single);
  return /^-?[0-9]+$/.test(text) ? `${text}.0` : text;
}

/**
 * Decodes `ForwardPassMetrics` from JSON, as the original does.
 *
 * 1. `nested` is the form since 0.3.2, `flat` the one before. If both are allowed, an object with neither
 *    `worker_stats` nor `kv_stats` is flat. Only the nested form may be an array of all its values.
 * 2. Counts are unsigned integers: without sign, decimal point, exponent or quotes. The two fractions may be any number
 *    and are rounded to single precision.
 * 3. The rank and everything about speculative decoding may be absent or `null`. All other fields are required.
 * 4. Unknown keys are ignored. If a key occurs twice, the last value counts.
 * 5. It never throws: input that cannot be decoded gives an `error` with a code, a reason and a byte offset.
 *
 * @example
 * ```ts
 * import { decodeForwardPassMetrics } from 'tidemark/wire';
 *
 * const decoded = decodeForwardPassMetrics(new TextEncoder().encode('{"worker_stats":{},"kv_stats":{}}'));
 * console.log('error' in decoded && decoded.error.message);
 * // Logs: request_active_slots is missing
 * ```
 *
 * @see {@link encodeForwardPassMetrics}
 */
export function decodeForwardPassMetrics(
  bytes: Uint8Array,
  forms: readonly MetricsForm[] = ['nested', 'flat'],
): { readonly metrics: ForwardPassMetrics } | { readonly error: DecodeError } {
  return catchDecodeFailure(() => ({ metrics: readForwardPassMetrics(parseLosslessJson(bytes), forms) }));
}

const OUTER = ['worker_stats', 'kv_stats', 'spec_decode_stats'] as const;
const WORKER = [
  'data_parallel_rank',
  'request_active_slots',
  'request_total_slots',
  'num_requests_waiting',
] as const;
const KV = [
  'kv_active_blocks',
  'kv_total_blocks',
  'gpu_cache_usage_perc',
  'gpu_prefix_cache_hit_rate',
] as const;
const SPEC = [
  'num_spec_tokens',
  'num_drafts',
  'num_draft_tokens',
  'num_accepted_tokens',
  'num_accepted_tokens_per_pos',
] as const;

/**
 * Reads the metrics from a parsed node.
 *
 * @throws DecodeFailure (internal to wire/)
 */
export function readForwardPassMetrics(node: JsonNode, forms: readonly MetricsForm[]): ForwardPassMetrics {
  if (isFlat(node, forms)) {
    const fields = readStruct(node, 'ForwardPassMetrics', [...WORKER, ...KV]);
    return { workerStats: workerStats(fields), kvStats: kvStats(fields), specDecodeStats: null };
  }
  const { required, optional } = readStruct(node, 'ForwardPassMetrics', OUTER);
  return {
    workerStats: workerStats(readStruct(required('worker_stats'), 'worker_stats', WORKER)),
    kvStats: kvStats(readStruct(required('kv_stats'), 'kv_stats', KV)),
    specDecodeStats: optional('spec_decode_stats', (spec, name) => specStats(readStruct(spec, name, SPEC))),
  };
}

function isFlat(node: JsonNode, forms: readonly MetricsForm[]): boolean {
  if (!forms.includes('flat')) return false;
  if (!forms.includes('nested')) return true;
  return (
    node.kind === 'object' && !node.members.some(({ key }) => key === 'worker_stats' || key === 'kv_stats')
  );
}

function workerStats({ required, optional }: StructFields<(typeof WORKER)[number]>): WorkerStats {
  const count = (name: (typeof WORKER)[number]): Count => countOf(uintOf(required(name), name));
  return jsonReady({
    dataParallelRank: optional('data_parallel_rank', u32Of),
    requestActiveSlots: count('request_active_slots'),
    requestTotalSlots: count('request_total_slots'),
    numRequestsWaiting: count('num_requests_waiting'),
  });
}

function kvStats({ required }: StructFields<(typeof KV)[number]>): KvStats {
  const count = (name: (typeof KV)[number]): Count => countOf(uintOf(required(name), name));
  const single = (name: (typeof KV)[number]): number => parseSingle(numberOf(required(name), name));
  return jsonReady({
    kvActiveBlocks: count('kv_active_blocks'),
    kvTotalBlocks: count('kv_total_blocks'),
    gpuCacheUsagePerc: single('gpu_cache_usage_perc'),
    gpuPrefixCacheHitRate: single('gpu_prefix_cache_hit_rate'),
  });
}

function specStats({ optional }: StructFields<(typeof SPEC)[number]>): SpecDecodeStats {
  return {
    numSpecTokens: optional('num_spec_tokens', u32Of),
    numDrafts: optional('num_drafts', u32Of),
    numDraftTokens: optional('num_draft_tokens', u32Of),
    numAcceptedTokens: optional('num_accepted_tokens', u32Of),
    numAcceptedTokensPerPos: optional('num_accepted_tokens_per_pos', (list, name) =>
      itemsOf(list, name).map((item) => u32Of(item, name)),
    ),
  };
}
