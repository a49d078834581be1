import type { StatsWirePolicy } from '../core/aggregator/aggregator-policy.js';
import type { ForwardPassMetrics } from '../core/aggregator/forward-pass-metrics.js';
import type { Count } from '../core/count.js';
import { decodeErrorOf, type DecodeError } from './decode-error.js';
import { forwardPassMetricsOf } from './decode-forward-pass-metrics.js';
import { objectOf, requiredField, stringOf, uintOf } from './json-fields.js';
import type { JsonNode, JsonObjectNode } from './json-node.js';
import { numberValueOf } from './json-value.js';
import { skipJson } from './skip-json.js';

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
export function serviceEndpointOf(
  node: JsonNode,
  bytes: Uint8Array,
  wire: StatsWirePolicy,
): ServiceEndpointStats {
  const endpoint = objectOf(node, 'an endpoint');
  const last = new Map(endpoint.members.map((member) => [member.key, member.value]));
  const data = last.get('data');
  const read = metricsOf(endpoint, data, wire);
  return {
    name: stringOf(requiredField(endpoint, 'name'), 'name'),
    subject: stringOf(requiredField(endpoint, 'subject'), 'subject'),
    numRequests: countOf(last.get('num_requests')),
    numErrors: countOf(last.get('num_errors')),
    processingTime: countOf(last.get('processing_time')),
    averageProcessingTime: countOf(last.get('average_processing_time')),
    lastError: textOf(last.get('last_error')),
    queueGroup: textOf(last.get('queue_group')),
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

function metricsOf(
  endpoint: JsonObjectNode,
  data: JsonNode | undefined,
  { counters, metricsForms }: StatsWirePolicy,
): MetricsRead {
  if (data === undefined || data.kind === 'null') {
    const { offset } = data ?? endpoint;
    return { error: { code: 'missing-field', message: 'it has no data', offset } };
  }
  return decodeErrorOf(() => {
    if (counters === 'required') checkCounters(endpoint);
    return { metrics: forwardPassMetricsOf(data, metricsForms) };
  });
}

/** Fails where the original does not see the endpoint: its reader takes all counters or none. */
function checkCounters(endpoint: JsonObjectNode): void {
  for (const name of ['num_requests', 'num_errors', 'processing_time', 'average_processing_time'])
    uintOf(requiredField(endpoint, name), name);
  for (const name of ['last_error', 'queue_group']) stringOf(requiredField(endpoint, name), name);
  requiredField(endpoint, 'data');
}

function countOf(node: JsonNode | undefined): Count | null {
  return node?.kind === 'number' ? numberValueOf(node.text) : null;
}

function textOf(node: JsonNode | undefined): string | null {
  return node?.kind === 'string' ? node.value : null;
}
