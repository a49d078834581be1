import type {
  ForwardPassMetrics,
  KvStats,
  SpecDecodeStats,
  WorkerStats,
} from '../core/aggregator/forward-pass-metrics.js';
import { countOf, type Count } from '../core/count.js';
import { decodeErrorOf, DecodeFailure, type DecodeError } from './decode-error.js';
import type { MetricsForm } from './encode-forward-pass-metrics.js';
import { MAX_U32, numberOf, uintOf } from './json-fields.js';
import type { JsonNode } from './json-node.js';
import { parseLosslessJson } from './lossless-json.js';
import { singleOf } from './single-precision.js';
import { structFields, type StructFields } from './struct-fields.js';

/**
 * Decodes `ForwardPassMetrics` from JSON, as the original does.
 *
 * 1. `nested` is the form since 0.3.2, `flat` the one before; of both the names decide: what has neither `worker_stats`
 *    nor `kv_stats` is flat. Only the nested form may be written as an array of its values, all of them.
 * 2. Counts are unsigned integers: no sign, no point, no exponent, no text. The two fractions may be any number; they
 *    are rounded to single precision.
 * 3. What may be absent may also be `null`: the rank, and everything about speculative decoding. All else is required.
 * 4. Keys that are not known are ignored; of a key that stands twice the last value counts.
 * 5. It never throws: what cannot be decoded is an `error` with code, reason and byte offset.
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
  return decodeErrorOf(() => ({ metrics: forwardPassMetricsOf(parseLosslessJson(bytes), forms) }));
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
 * The metrics that a node is.
 *
 * @throws DecodeFailure, inside this room
 */
export function forwardPassMetricsOf(node: JsonNode, forms: readonly MetricsForm[]): ForwardPassMetrics {
  if (isFlat(node, forms)) {
    const fields = structFields(node, 'ForwardPassMetrics', [...WORKER, ...KV]);
    return { workerStats: workerStats(fields), kvStats: kvStats(fields), specDecodeStats: null };
  }
  const { required, optional } = structFields(node, 'ForwardPassMetrics', OUTER);
  return {
    workerStats: workerStats(structFields(required('worker_stats'), 'worker_stats', WORKER)),
    kvStats: kvStats(structFields(required('kv_stats'), 'kv_stats', KV)),
    specDecodeStats: optional('spec_decode_stats', (spec, name) => specStats(structFields(spec, name, SPEC))),
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
  return {
    dataParallelRank: optional('data_parallel_rank', u32Of),
    requestActiveSlots: count('request_active_slots'),
    requestTotalSlots: count('request_total_slots'),
    numRequestsWaiting: count('num_requests_waiting'),
  };
}

function kvStats({ required }: StructFields<(typeof KV)[number]>): KvStats {
  const count = (name: (typeof KV)[number]): Count => countOf(uintOf(required(name), name));
  const single = (name: (typeof KV)[number]): number => singleOf(numberOf(required(name), name));
  return {
    kvActiveBlocks: count('kv_active_blocks'),
    kvTotalBlocks: count('kv_total_blocks'),
    gpuCacheUsagePerc: single('gpu_cache_usage_perc'),
    gpuPrefixCacheHitRate: single('gpu_prefix_cache_hit_rate'),
  };
}

function specStats({ optional }: StructFields<(typeof SPEC)[number]>): SpecDecodeStats {
  return {
    numSpecTokens: optional('num_spec_tokens', u32Of),
    numDrafts: optional('num_drafts', u32Of),
    numDraftTokens: optional('num_draft_tokens', u32Of),
    numAcceptedTokens: optional('num_accepted_tokens', u32Of),
    numAcceptedTokensPerPos: optional('num_accepted_tokens_per_pos', (list, name) => {
      if (list.kind === 'array') return list.items.map((item) => u32Of(item, name));
      throw new DecodeFailure('wrong-type', `${name} must be an array, not ${list.kind}`, list.offset);
    }),
  };
}

function u32Of(node: JsonNode, name: string): number {
  return Number(uintOf(node, name, MAX_U32));
}
