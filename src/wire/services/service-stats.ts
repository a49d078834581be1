import { type StatsWirePolicy, aggregatorPolicies } from '../../core/aggregator/aggregator-policy.js';
import type { ForwardPassMetrics } from '../../core/aggregator/load-metrics.js';
import type { Count } from '../../core/count.js';
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

/** An endpoint of a service as a STATS reply tells it. What is `null` is absent, or of another type than it should be. */
export interface ServiceEndpointStats {
  readonly name: string;
  readonly subject: string;
  readonly numRequests: Count | null;
  readonly numErrors: Count | null;
  /** Nanoseconds of all requests together. */
  readonly processingTime: Count | null;
  /** Nanoseconds of one request. */
  readonly averageProcessingTime: Count | null;
  /** Empty where there was none. */
  readonly lastError: string | null;
  readonly queueGroup: string | null;
  /** The JSON text of its own statistics. */
  readonly data: string | null;
  /** What an engine says of itself, if the statistics are that. */
  readonly metrics: ForwardPassMetrics | null;
  /** Why there are no metrics. */
  readonly unread: DecodeError | null;
}

const utf8 = new TextDecoder();

/**
 * An endpoint of a reply.
 *
 * @throws DecodeFailure, inside this room, where it is no object with a name and a subject
 */
export function readServiceEndpoint(
  node: JsonNode,
  bytes: Uint8Array,
  wire: StatsWirePolicy,
): ServiceEndpointStats {
  const endpoint = objectOf(node, 'an endpoint');
  const last = new Map(endpoint.members.map((member) => [member.key, member.value]));
  const data = last.get('data');
  const read = readMetrics(endpoint, data, wire);
  return {
    name: stringOf(requiredField(endpoint, 'name'), 'name'),
    subject: stringOf(requiredField(endpoint, 'subject'), 'subject'),
    numRequests: numericCount(last.get('num_requests')),
    numErrors: numericCount(last.get('num_errors')),
    processingTime: numericCount(last.get('processing_time')),
    averageProcessingTime: numericCount(last.get('average_processing_time')),
    lastError: stringOrNull(last.get('last_error')),
    queueGroup: stringOrNull(last.get('queue_group')),
    // Few ask for it, and a scrape has thousands.
    get data() {
      if (data === undefined || data.kind === 'null') return null;
      return utf8.decode(bytes.subarray(data.offset, skipJson(bytes, data.offset)));
    },
    metrics: 'error' in read ? null : read.metrics,
    unread: 'error' in read ? read.error : null,
  };
}

type MetricsRead = { readonly metrics: ForwardPassMetrics } | { readonly error: DecodeError };

function readMetrics(
  endpoint: JsonObjectNode,
  data: JsonNode | undefined,
  { counters, metricsForms }: StatsWirePolicy,
): MetricsRead {
  if (data === undefined || data.kind === 'null') {
    const { offset } = data ?? endpoint;
    return { error: { code: 'missing-field', message: 'it has no data', offset } };
  }
  return catchDecodeFailure(() => {
    if (counters === 'required') requireCounters(endpoint);
    return { metrics: readForwardPassMetrics(data, metricsForms) };
  });
}

/** Fails where the original does not see the endpoint: its reader takes all counters or none. */
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

/** What an instance of a NATS micro service answers to `$SRV.STATS`. */
export interface ServiceStats extends ServiceIdentity {
  /** When it started, as it wrote it. */
  readonly started: string;
  readonly endpoints: readonly ServiceEndpointStats[];
}

const SERVICE = ['name', 'id', 'version', 'started', 'endpoints'] as const;
const READING: ParseOptions = { members: new Set(SERVICE), shared: true };

/**
 * Decodes the reply of a NATS micro service to `$SRV.STATS`, and the engine's metrics in it, as the original does.
 *
 * 1. Name, id, version and start must be texts, and the endpoints a list of objects with a name and a subject. Else the
 *    reply is an error. Other members are passed over, whatever they hold; of these, none may stand twice.
 * 2. An endpoint has `metrics`, or says in `unread` why it has none. Whether it must have all counters for that is
 *    the policy's to say; a counter that is absent, of another type or twice is `null`.
 * 3. The type of the reply is not looked at, and neither is whose endpoints these are: the original looks at subjects
 *    only.
 * 4. Where the original refuses more than JSON does, so does this: half a surrogate pair in a text, and a number beyond
 *    binary64.
 * 5. It never throws: what cannot be decoded is an `error` with code, reason and byte offset.
 *
 * @param wire What is read; by default all that any release wrote.
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
