import type { RuntimeConfig } from '../core/runtime-config.js';
import type { WorkerId } from '../core/worker-id.js';
import { DecodeFailure, decodeErrorOf, type DecodeError } from './decode-error.js';
import { discoveryKeyOf, type EventChannelKey, type InstanceKey, type ModelKey } from './discovery-key.js';
import {
  eventTransportOf,
  instanceTransportOf,
  type EventTransport,
  type InstanceTransport,
} from './discovery-transport.js';
import { field, objectOf, requiredField, stringOf, uintOf, optionalString } from './json-fields.js';
import type { JsonObjectNode } from './json-node.js';
import { parseLosslessJson } from './lossless-json.js';
import { modelCardOf, type ModelCard } from './model-card.js';

/** One key of a discovery store with its value; an empty value says that the key is gone. */
export interface DiscoveryEntry {
  readonly key: string;
  readonly value: Uint8Array;
  /** The etcd lease of the key; `0` is none, as in etcd. */
  readonly lease?: WorkerId | undefined;
}

/** A serving endpoint of a worker. */
export interface InstanceRecord extends InstanceKey {
  readonly removed?: undefined;
  /** `null`: none, or of a kind that this release of tidemark does not know. */
  readonly transport: InstanceTransport | null;
}

/** A model card of a worker. */
export interface ModelRecord extends ModelKey {
  readonly removed?: undefined;
  /** The model's name, `null` when the card has none. */
  readonly model: string | null;
  /** The LoRA adapter's name, else the suffix; `null` for a base card. Only a base card says how large a worker is. */
  readonly lora: string | null;
  readonly runtimeConfig: RuntimeConfig;
}

/** Where the events of a publisher can be had. */
export interface EventChannelRecord extends EventChannelKey {
  readonly removed?: undefined;
  /** `null`: of a kind that this release of tidemark does not know. */
  readonly transport: EventTransport | null;
}

/** A key that is gone, and what it said. A LoRA card that is gone is known by its suffix only. */
export type RemovedRecord = (InstanceKey | ModelKey | EventChannelKey) & { readonly removed: true };

/** What one entry of a discovery store says; `unknown` is everything that tells nothing about workers' loads. */
export type DiscoveryRecord =
  | InstanceRecord
  | ModelRecord
  | EventChannelRecord
  | RemovedRecord
  | { readonly kind: 'unknown'; readonly removed?: undefined };

/**
 * Decodes one entry of a discovery store as any release (0.4 to 1.6) writes it.
 *
 * 1. The key says what the record is about (see {@link parseDiscoveryKey}) and wins over the value. Only the
 *    entries `models/{uuid}` take namespace, component and endpoint from the value.
 * 2. The id is the one in the key; where the key has none it is the lease, and `null` without a lease. An id in
 *    the value must be the same.
 * 3. A value is a bare instance, card or model entry, or tagged with its `type`, and then of the type that
 *    belongs below its key.
 * 4. An empty value is a removal: `removed` is true, and the rest is what the key says.
 * 5. Event sources and keys of other roots are `unknown`; their values are not looked at.
 * 6. Fields that are not needed may be missing or hold anything. A field that is read has its own type; in a card
 *    it may also be `null`, which means missing.
 *
 * Returns `{ error }` for a key or a value that cannot be read. The offset counts in the value, and is 0 for
 * `bad-key`.
 *
 * @example
 * ```ts
 * import { decodeDiscoveryRecord } from 'tidemark/wire';
 *
 * const record = decodeDiscoveryRecord({
 *   key: 'v1/mdc/dynamo/backend/generate/694d988806b92e39',
 *   value: new TextEncoder().encode('{"display_name":"tiny","runtime_config":{"total_kv_blocks":100}}'),
 * });
 * if ('kind' in record && record.kind === 'model' && !record.removed) console.log(record.runtimeConfig);
 * // Logs: { totalKvBlocks: 100 }
 * ```
 */
export function decodeDiscoveryRecord(
  entry: DiscoveryEntry,
): DiscoveryRecord | { readonly error: DecodeError } {
  return decodeErrorOf(() => recordOf(entry));
}

function recordOf({ key: text, value, lease }: DiscoveryEntry): DiscoveryRecord {
  const key = discoveryKeyOf(text);
  if (key.kind === 'unknown' || key.kind === 'eventSource') return { kind: 'unknown' };
  const identified = key.kind === 'model' ? { ...key, instanceId: key.instanceId ?? idOfLease(lease) } : key;
  if (value.length === 0) return { ...identified, removed: true };

  const body = bodyOf(value, TAGS[key.kind], key.instanceId);
  switch (identified.kind) {
    case 'instance':
      return { ...identified, transport: instanceTransportOf(body) };
    case 'eventChannel':
      return { ...identified, transport: eventTransportOf(body) };
    case 'model':
      return {
        ...identified,
        ...(text.startsWith('models/') && placeOf(body)),
        ...cardOf(body, identified.lora),
      };
  }
}

const TAGS = { instance: 'Endpoint', model: 'Model', eventChannel: 'EventChannel' } as const;

/** The value as an object that does not contradict its key. */
function bodyOf(value: Uint8Array, tag: string, id: WorkerId | null): JsonObjectNode {
  const body = objectOf(parseLosslessJson(value), 'a discovery record');
  const type = field(body, 'type');
  if (type !== undefined && stringOf(type, 'type') !== tag) {
    throw new DecodeFailure('malformed', `type must be ${tag} below this key`, type.offset);
  }
  const stated = field(body, 'instance_id');
  if (stated === undefined || id === null) return body;
  const statedId = uintOf(stated, 'instance_id').toString();
  if (statedId === id) return body;
  throw new DecodeFailure('malformed', `instance_id is ${statedId}, but the key says ${id}`, stated.offset);
}

function idOfLease(lease: WorkerId | undefined): WorkerId | null {
  return lease === undefined || lease === '0' ? null : lease;
}

function placeOf(entry: JsonObjectNode): Pick<ModelRecord, 'namespace' | 'component' | 'endpoint'> {
  const endpoint = objectOf(requiredField(entry, 'endpoint'), 'endpoint');
  return {
    namespace: nameIn(endpoint, 'namespace'),
    component: nameIn(endpoint, 'component'),
    endpoint: nameIn(endpoint, 'name'),
  };
}

/** A name that a key can hold, since a worker's place is the same whether a key or a value names it. */
function nameIn(endpoint: JsonObjectNode, member: string): string {
  const node = requiredField(endpoint, member);
  const name = stringOf(node, `endpoint.${member}`);
  if (name !== '' && !name.includes('/')) return name;
  throw new DecodeFailure('malformed', `endpoint.${member} must be a name without slashes`, node.offset);
}

/** The card of a tagged record, or the bare one; its own word about LoRA goes before the suffixes. */
function cardOf(body: JsonObjectNode, keySuffix: string | null): ModelCard {
  if (field(body, 'type') === undefined) {
    const card = modelCardOf(body);
    return { ...card, lora: card.lora ?? keySuffix };
  }
  const card = modelCardOf(objectOf(requiredField(body, 'card_json'), 'card_json'));
  return { ...card, lora: card.lora ?? keySuffix ?? optionalString(body, 'model_suffix') };
}
