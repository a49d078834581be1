import type { StatsWirePolicy } from '../core/aggregator/aggregator-policy.js';
import { aggregatorPolicies } from '../core/aggregator/aggregator-policies.js';
import { decodeErrorOf, DecodeFailure, type DecodeError } from './decode-error.js';
import { requiredField, stringOf } from './json-fields.js';
import type { JsonNode } from './json-node.js';
import { parseLosslessJson, type ParseOptions } from './lossless-json.js';
import { readableByRust } from './readable-by-rust.js';
import { serviceEndpointOf, type ServiceEndpointStats } from './service-endpoint-stats.js';
import type { ServiceIdentity } from './service-encoder.js';
import { structObject } from './struct-fields.js';

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
  return decodeErrorOf(() => {
    const service = structObject(parseLosslessJson(bytes, READING), 'a STATS reply', SERVICE);
    readableByRust(service);
    const text = (name: 'name' | 'id' | 'version' | 'started'): string =>
      stringOf(requiredField(service, name), name);
    return {
      name: text('name'),
      id: text('id'),
      version: text('version'),
      started: text('started'),
      endpoints: listOf(requiredField(service, 'endpoints')).map((node) =>
        serviceEndpointOf(node, bytes, wire),
      ),
    };
  });
}

function listOf(node: JsonNode): readonly JsonNode[] {
  if (node.kind === 'array') return node.items;
  throw new DecodeFailure('wrong-type', `endpoints must be an array, not ${node.kind}`, node.offset);
}
