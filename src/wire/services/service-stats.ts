import { type StatsWirePolicy, aggregatorPolicies } from '../../core/aggregator/aggregator-policy.js';
import type { ForwardPassMetrics } from '../../core/aggregator/load-metrics.js';
import type { Count } from '../../core/count.js';
import { jsonReady } from '../../core/ordinary-value.js';
import { type DecodeError, catchDecodeFailure } from '../decode-error.js';
import { itemsOf, objectOf, requiredField, stringOf, structObject, uintOf } from '../json/json-fields.js';
import { parseNumber } from '../json/json-value.js';
import {
  type JsonNode,
  type JsonObjectNode,
  type ParseOptions,
  parseLosslessJson,
} from '../json/lossless-json.js';
import { requireReadableByRust } from '../json/rust-json.js';
import { skipJson } from '../json/skip-json.js';
import { readForwardPassMetrics } from './forward-pass-metrics.js';
import type { ServiceIdentity } from './service-encoder.js';

/** An endpoint of a service in a STATS reply. `null` means that a value is absent or has the wrong type. */
export interface ServiceEndpointStats {
  readonly name: string;
  readonly subject: string;
  readonly numRequests: Count | null;
  readonly numErrors: Count | null;
  /** The total of all requests, in nanoseconds. */
  readonly processingTime: Count | null;
  /** The average of one request, in nanoseconds. */
  readonly averageProcessingTime: Count | null;
  /** Empty if there was no error. */
  readonly lastError: string | null;
  readonly queueGroup: string | null;
  /** The JSON text of the endpoint's own statistics. */
  readonly data: string | null;
  /** The metrics of the engine, if the statistics contain them. */
  readonly metrics: ForwardPassMetrics | null;
  /** Why `metrics` is `null`. */
  readonly unread: DecodeError | null;
}

const utf8 = new TextDecoder();

/**
 * Reads an endpoint of a reply.
 *
 * @throws DecodeFailure (internal to wire/) if the node is not an object with a name and a subject
 */
function readServiceEndpoint(node: JsonNode, bytes: Uint8Array, wire: StatsWirePolicy): ServiceEndpointStats {
  const endpoint = objectOf(node, 'an endpoint');
  const last = new Map(endpoint.members.map((member) => [member.key, member.value]));
  const data = last.get('data');
  const read = readMetrics(endpoint, data, wire);
  const counters = {
    numRequests: numericCount(last.get('num_requests')),
    numErrors: numericCount(last.get('num_errors')),
    processingTime: numericCount(last.get('processing_time')),
    averageProcessingTime: numericCount(last.get('average_processing_time')),
  };
  const stats: ServiceEndpointStats = {
    name: stringOf(requiredField(endpoint, 'name'), 'name'),
    subject: stringOf(requiredField(endpoint, 'subject'), 'subject'),
    ...counters,
    lastError: stringOrNull(last.get('last_error')),
    queueGroup: stringOrNull(last.get('queue_group')),
    // Computed on demand: it is rarely read, and a scrape has thousands of endpoints.
    get data() {
      if (data === undefined || data.kind === 'null') return null;
      return utf8.decode(bytes.subarray(data.offset, skipJson(bytes, data.offset)));
    },
    metrics: 'error' in read ? null : read.metrics,
    unread: 'error' in read ? read.error : null,
  };
  return jsonReady(stats, Object.values(counters));
}

type MetricsRead = { readonly metrics: ForwardPassMetrics } | { readonly error: DecodeError };

function readMetrics(
  endpoint: JsonObjectNode,
  data: JsonNode | undefined,
  { counters, metricsForms }: StatsWirePolicy,
): MetricsRead {
  if (data === undefined || data.kind === 'null') {
    const { offset } = data ?? endpoint;
    return { error: { code: 'missing-field', message: 'data is missing', offset } };
  }
  return catchDecodeFailure(() => {
    if (counters === 'required') requireCounters(endpoint);
    return { metrics: readForwardPassMetrics(data, metricsForms) };
  });
}

/** Fails if the original would ignore the endpoint, because its reader requires all counters. */
function requireCounters(endpoint: JsonObjectNode): void {
  for (const name of ['num_requests', 'num_errors', 'processing_time', 'average_processing_time'])
    uintOf(requiredField(endpoint, name), name);
  for (const name of ['last_error', 'queue_group']) stringOf(requiredField(endpoint, name), name);
  requiredField(endpoint, 'data');
}

function numericCount(node: JsonNode | undefined): Count | null {
  return node?.kind === 'number' ? parseNumber(node.text) : null;
}

function stringOrNull(node: JsonNode | undefined): string | null {
  return node?.kind === 'string' ? node.value : null;
}

/** The reply of one instance of a NATS micro service to `$SRV.STATS`. */
export interface ServiceStats extends ServiceIdentity {
  /** The time of its start, as received. */
  readonly started: string;
  readonly endpoints: readonly ServiceEndpointStats[];
}

const SERVICE = ['name', 'id', 'version', 'started', 'endpoints'] as const;
const READING: ParseOptions = { members: new Set(SERVICE), shared: true };

/**
 * Decodes the reply of a NATS micro service to `$SRV.STATS`, and the engine metrics in it, like the original.
 *
 * 1. Name, id, version and start must be strings, and the endpoints an array of objects with a name and a subject.
 *    Otherwise the reply is an error. None of these members may occur twice. Other members are ignored.
 * 2. An endpoint has `metrics`, or in `unread` the reason why not. The policy decides whether all counters are required
 *    for that. A counter that is absent or has the wrong type is `null`.
 * 3. The type of the reply and the owner of the endpoints are not checked: the original only compares subjects.
 * 4. Like the original, it rejects some valid JSON: an unpaired surrogate in a string, and a number beyond binary64.
 * 5. It never throws: input that cannot be decoded gives an `error` with a code, a reason and a byte offset.
 *
 * @param wire The forms to accept. Defaults to those of every release.
 *
 * @example
 * ```ts
 * import { decodeServiceStats, encodeServiceStats } from 'tidemark/wire';
 *
 * const service = { name: 'dynamo_backend', id: 'bdu7', version: '0.0.1', started: '2025-08-08T05:07:17Z' };
 * const decoded = decodeServiceStats(encodeServiceStats({ ...service, endpoints: [] }));
 * console.log('error' in decoded ? decoded.error.message : decoded.name);
 * // Logs: dynamo_backend
 * ```
 *
 * @see {@link metricsAggregator}
 */
export function decodeServiceStats(
  bytes: Uint8Array,
  wire: StatsWirePolicy = aggregatorPolicies.default.wire,
): ServiceStats | { readonly error: DecodeError } {
  return catchDecodeFailure(() => {
    const service = structObject(parseLosslessJson(bytes, READING), 'a STATS reply', SERVICE);
    requireReadableByRust(service);
    const text = (name: 'name' | 'id' | 'version' | 'started'): string =>
      stringOf(requiredField(service, name), name);
    return {
      name: text('name'),
      id: text('id'),
      version: text('version'),
      started: text('started'),
      endpoints: itemsOf(requiredField(service, 'endpoints'), 'endpoints').map((node) =>
        readServiceEndpoint(node, bytes, wire),
      ),
    };
  });
}
