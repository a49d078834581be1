import { countOf } from '../../core/count.js';
import type { LoadReceived } from '../../core/events/fleet-event.js';
import { jsonReady } from '../../core/ordinary-value.js';
import type { WirePolicy } from '../../core/policy/load-policy.js';
import { workerIdFromBigInt } from '../../core/worker-id.js';
import { DecodeFailure } from '../decode-error.js';
import {
  countOrNull,
  objectOf,
  optionalCount,
  optionalU32,
  requiredField,
  u32Field,
  u32Of,
  uintOf,
} from '../json/json-fields.js';
import { type JsonNode, type JsonObjectNode, parseLosslessJson } from '../json/lossless-json.js';
import { knownLoadFields } from './envelope.js';

/** Whether a message is JSON: it begins with an object, an array, or white space. No envelope begins like this. */
export function isJson(bytes: Uint8Array): boolean {
  return [0x7b, 0x5b, 0x20, 0x09, 0x0a, 0x0d].includes(bytes[0] ?? 0);
}

/**
 * Decodes a load message of a release before the event plane: `ActiveLoad` (0.8), as an object or an array, or
 * `LoadEvent` (0.4 to 0.7), which provides the rank and the active blocks.
 *
 * @throws DecodeFailure (internal to wire/)
 */
export function decodeJsonLoad(bytes: Uint8Array, wire: WirePolicy): LoadReceived {
  const events = wire.formats.includes('load-event-json');
  const loads = wire.formats.includes('active-load-json');
  if (!events && !loads)
    throw new DecodeFailure(
      'unsupported-format',
      'this policy reads only envelopes, but the message is JSON',
      0,
    );
  const node = parseLosslessJson(bytes);
  const isEvent = node.kind === 'object' && node.members.some((member) => member.key === 'data');
  if (events && (isEvent || !loads)) return jsonReady(readLoadEvent(objectOf(node, 'a LoadEvent')));
  return jsonReady(
    node.kind === 'array'
      ? readPositionalLoad(node, wire)
      : readNamedLoad(objectOf(node, 'an ActiveLoad'), wire),
  );
}

function readNamedLoad(object: JsonObjectNode, wire: WirePolicy): LoadReceived {
  const knowsUsed = knownLoadFields(wire).includes('kv_used_blocks');
  return {
    kind: 'load',
    workerId: workerIdFromBigInt(uintOf(requiredField(object, 'worker_id'), 'worker_id')),
    dpRank: u32Field(object, 'dp_rank', 0),
    activeDecodeBlocks: optionalCount(object, 'active_decode_blocks'),
    activePrefillTokens: optionalCount(object, 'active_prefill_tokens'),
    kvUsedBlocks: knowsUsed ? optionalCount(object, 'kv_used_blocks') : null,
  };
}

function readPositionalLoad(array: Extract<JsonNode, { kind: 'array' }>, wire: WirePolicy): LoadReceived {
  const [id, rank, decode, prefill, used] = array.items;
  if (id === undefined || rank === undefined || !wire.positionalFields.includes(array.items.length)) {
    const text = `an ActiveLoad as an array must have ${wire.positionalFields.join(' or ')} elements, not ${array.items.length}`;
    throw new DecodeFailure('wrong-length', text, array.offset);
  }
  return {
    kind: 'load',
    workerId: workerIdFromBigInt(uintOf(id, 'worker_id')),
    dpRank: u32Of(rank, 'dp_rank'),
    activeDecodeBlocks: countOrNull(decode, 'active_decode_blocks'),
    activePrefillTokens: countOrNull(prefill, 'active_prefill_tokens'),
    kvUsedBlocks: countOrNull(used, 'kv_used_blocks'),
  };
}

function readLoadEvent(object: JsonObjectNode): LoadReceived {
  const data = objectOf(requiredField(object, 'data'), 'data');
  const workerStats = objectOf(requiredField(data, 'worker_stats'), 'worker_stats');
  const kvStats = objectOf(requiredField(data, 'kv_stats'), 'kv_stats');
  const blocks = uintOf(requiredField(kvStats, 'kv_active_blocks'), 'kv_active_blocks');
  return {
    kind: 'load',
    workerId: workerIdFromBigInt(uintOf(requiredField(object, 'worker_id'), 'worker_id')),
    dpRank: optionalU32(workerStats, 'data_parallel_rank') ?? 0,
    activeDecodeBlocks: countOf(blocks),
    activePrefillTokens: null,
    kvUsedBlocks: null,
  };
}
