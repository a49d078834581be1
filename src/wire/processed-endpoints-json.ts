import type { Endpoint, LoadMetrics } from '../core/aggregator/load-metrics.js';
import { ProcessedEndpoints } from '../core/aggregator/processed-endpoints.js';
import { countOf } from '../core/count.js';
import { workerId, WorkerIdError } from '../core/worker-id.js';
import { catchDecodeFailure, DecodeFailure, type DecodeError } from './decode-error.js';
import { numberOf, objectOf, requiredField, stringOf, uintOf } from './json/json-fields.js';
import {
  type JsonMember,
  type JsonNode,
  type JsonObjectNode,
  parseLosslessJson,
} from './json/lossless-json.js';
import { encodeForwardPassMetrics, readForwardPassMetrics } from './services/forward-pass-metrics.js';

const utf8 = new TextEncoder();

/**
 * A snapshot as the JSON that the original makes of its `ProcessedEndpoints`: endpoints by decimal id, and `null` for an
 * average of nobody.
 *
 * @example
 * ```ts
 * import { ProcessedEndpoints } from 'tidemark';
 * import { encodeProcessedEndpoints } from 'tidemark/wire';
 *
 * console.log(new TextDecoder().decode(encodeProcessedEndpoints(ProcessedEndpoints.of([]))));
 * // Logs: {"endpoints":{},"load_avg":null,"load_std":null}
 * ```
 *
 * @see {@link decodeProcessedEndpoints}
 */
export function encodeProcessedEndpoints(snapshot: ProcessedEndpoints): Uint8Array {
  const endpoints = snapshot
    .workerIds()
    .flatMap((id) => snapshot.endpoints.get(id) ?? [])
    .map(endpointText);
  return utf8.encode(
    `{"endpoints":{${endpoints.join(',')}},"load_avg":${JSON.stringify(snapshot.loadAvg)}` +
      `,"load_std":${JSON.stringify(snapshot.loadStd)}}`,
  );
}

/**
 * Reads what {@link encodeProcessedEndpoints}, or the original, wrote. An average of nobody, which the original cannot
 * read back, is NaN again. It never throws.
 */
export function decodeProcessedEndpoints(
  bytes: Uint8Array,
): { readonly snapshot: ProcessedEndpoints } | { readonly error: DecodeError } {
  return catchDecodeFailure(() => {
    const node = objectOf(parseLosslessJson(bytes), 'ProcessedEndpoints');
    const { members } = objectOf(requiredField(node, 'endpoints'), 'endpoints');
    return {
      snapshot: ProcessedEndpoints.restored(
        members.map(endpointOf),
        statisticOf(node, 'load_avg'),
        statisticOf(node, 'load_std'),
      ),
    };
  });
}

function endpointText({ workerId, name, subject, data }: Endpoint): string {
  return `"${workerId}":{"name":${JSON.stringify(name)},"subject":${JSON.stringify(subject)},"data":${loadText(data)}}`;
}

function loadText(data: LoadMetrics): string {
  return 'engineLoadMetrics' in data
    ? `{"engine_load_metrics":${encodeForwardPassMetrics(data.engineLoadMetrics)}}`
    : `{"predictive_load_metrics":{"kv_active_blocks":${data.predictiveLoadMetrics.kvActiveBlocks}}}`;
}

function endpointOf({ key, offset, value }: JsonMember): Endpoint {
  const endpoint = objectOf(value, 'an endpoint');
  try {
    return {
      name: stringOf(requiredField(endpoint, 'name'), 'name'),
      subject: stringOf(requiredField(endpoint, 'subject'), 'subject'),
      workerId: workerId(key),
      data: loadOf(requiredField(endpoint, 'data')),
    };
  } catch (error) {
    if (!(error instanceof WorkerIdError)) throw error;
    throw new DecodeFailure('out-of-range', error.message, offset);
  }
}

/** One member names the kind. */
function loadOf(node: JsonNode): LoadMetrics {
  const [kind, ...others] = objectOf(node, 'data').members;
  if (kind?.key === 'engine_load_metrics' && others.length === 0)
    return { engineLoadMetrics: readForwardPassMetrics(kind.value, ['nested']) };
  if (kind?.key === 'predictive_load_metrics' && others.length === 0) {
    const predictive = objectOf(kind.value, kind.key);
    const blocks = uintOf(requiredField(predictive, 'kv_active_blocks'), 'kv_active_blocks');
    return { predictiveLoadMetrics: { kvActiveBlocks: countOf(blocks) } };
  }
  const text = 'data must be engine_load_metrics or predictive_load_metrics, one of them';
  throw new DecodeFailure('wrong-type', text, node.offset);
}

function statisticOf(object: JsonObjectNode, name: string): number {
  const node = requiredField(object, name);
  return node.kind === 'null' ? NaN : Number(numberOf(node, name));
}
