import type { RuntimeConfig } from '../../core/events/fleet-event.js';
import { jsonReady } from '../../core/ordinary-value.js';
import type { WorkerId } from '../../core/worker-id.js';
import { type DecodeError, DecodeFailure, catchDecodeFailure } from '../decode-error.js';
import {
  field,
  itemsOf,
  objectOf,
  optionalCount,
  optionalString,
  optionalU32,
  requiredField,
  stringOf,
  uintOf,
} from '../json/json-fields.js';
import { type JsonNode, type JsonObjectNode, parseLosslessJson } from '../json/lossless-json.js';
import {
  type EventChannelKey,
  type InstanceKey,
  type ModelKey,
  requireDiscoveryKey,
} from './discovery-keys.js';

/** The address for requests to an instance: a NATS subject, `host:port/path`, or a URL. */
export interface InstanceTransport {
  readonly kind: 'nats_tcp' | 'tcp' | 'http';
  readonly address: string;
}

/** Where the events of a publisher are available. */
export type EventTransport =
  | { readonly kind: 'nats'; readonly subjectPrefix: string }
  | { readonly kind: 'zmq'; readonly endpoint: string }
  | {
      readonly kind: 'zmqBroker';
      readonly xsubEndpoints: readonly string[];
      readonly xpubEndpoints: readonly string[];
    };

/** The transport of an instance; `null` if it has none of a known kind. */
function readInstanceTransport(record: JsonObjectNode): InstanceTransport | null {
  const transport = field(record, 'transport');
  if (transport?.kind !== 'object') return null;
  for (const kind of ['nats_tcp', 'tcp', 'http'] as const) {
    const address = field(transport, kind);
    if (address !== undefined) return { kind, address: stringOf(address, `transport.${kind}`) };
  }
  return null;
}

/** The transport of an event channel; `null` if its kind is unknown. */
function readEventTransport(record: JsonObjectNode): EventTransport | null {
  const transport = objectOf(requiredField(record, 'transport'), 'transport');
  const kind = stringOf(requiredField(transport, 'kind'), 'transport.kind');
  const config = (): JsonObjectNode => objectOf(requiredField(transport, 'config'), 'transport.config');
  switch (kind) {
    case 'Nats':
      return {
        kind: 'nats',
        subjectPrefix: stringOf(requiredField(config(), 'subject_prefix'), 'subject_prefix'),
      };
    case 'Zmq':
      return { kind: 'zmq', endpoint: stringOf(requiredField(config(), 'endpoint'), 'endpoint') };
    case 'ZmqBroker':
      return {
        kind: 'zmqBroker',
        xsubEndpoints: stringsOf(requiredField(config(), 'xsub_endpoints'), 'xsub_endpoints'),
        xpubEndpoints: stringsOf(requiredField(config(), 'xpub_endpoints'), 'xpub_endpoints'),
      };
    default:
      return null;
  }
}

function stringsOf(node: JsonNode, name: string): readonly string[] {
  return itemsOf(node, name).map((item) => stringOf(item, name));
}

/** The fields of a model card that tidemark uses, or of a model entry (releases up to 0.5.1). */
export interface ModelCard {
  /** The model's name; `null` if the card has none. */
  readonly model: string | null;
  /** The name of the LoRA adapter, as the card itself gives it. */
  readonly lora: string | null;
  readonly runtimeConfig: RuntimeConfig;
}

/** Reads a model card. All fields are optional, and null means absent. */
function readModelCard(card: JsonObjectNode): ModelCard {
  const config = objectField(card, 'runtime_config');
  const lora = objectField(card, 'lora');
  return {
    model: optionalString(card, 'display_name') ?? optionalString(card, 'name'),
    lora: lora === null ? null : stringOf(requiredField(lora, 'name'), 'lora.name'),
    runtimeConfig: config === null ? {} : readRuntimeConfig(config),
  };
}

function readRuntimeConfig(config: JsonObjectNode): RuntimeConfig {
  const totalKvBlocks = optionalCount(config, 'total_kv_blocks');
  const maxNumBatchedTokens = optionalCount(config, 'max_num_batched_tokens');
  const dataParallelStartRank = optionalU32(config, 'data_parallel_start_rank');
  const dataParallelSize = optionalU32(config, 'data_parallel_size');
  return jsonReady({
    ...(totalKvBlocks !== null && { totalKvBlocks }),
    ...(maxNumBatchedTokens !== null && { maxNumBatchedTokens }),
    ...(dataParallelStartRank !== null && { dataParallelStartRank }),
    ...(dataParallelSize !== null && { dataParallelSize }),
  });
}

function objectField(object: JsonObjectNode, name: string): JsonObjectNode | null {
  const node = field(object, name);
  return node === undefined || node.kind === 'null' ? null : objectOf(node, name);
}

/** One key of a discovery store that was written or removed. */
export interface DiscoveryChange {
  readonly key: string;
  /** The value that was written, which may be empty. Absent: the key was removed. */
  readonly value?: Uint8Array | undefined;
  /** The etcd lease of the key. `0` means no lease, as in etcd. */
  readonly lease?: WorkerId | undefined;
}

/** An instance of a worker. */
export interface InstanceRecord extends InstanceKey {
  readonly removed?: undefined;
  /** `null`: absent, or of a kind that this release of tidemark does not know. */
  readonly transport: InstanceTransport | null;
}

/** A model card of a worker. */
export interface ModelRecord extends ModelKey {
  readonly removed?: undefined;
  /** The model's name; `null` if the card has none. */
  readonly model: string | null;
  /** The LoRA adapter's name, or else the suffix; `null` for a base card. Only a base card gives the size of a worker. */
  readonly lora: string | null;
  readonly runtimeConfig: RuntimeConfig;
}

/** A record that says where the events of a publisher are available. */
export interface EventChannelRecord extends EventChannelKey {
  readonly removed?: undefined;
  /** `null`: a kind that this release of tidemark does not know. */
  readonly transport: EventTransport | null;
}

/** A key that was removed, with its parts. A removed LoRA card is known only by its suffix. */
export type RemovedRecord = (InstanceKey | ModelKey | EventChannelKey) & { readonly removed: true };

/** A decoded discovery record; `unknown` is a record that tidemark does not need. */
export type DiscoveryRecord =
  | InstanceRecord
  | ModelRecord
  | EventChannelRecord
  | RemovedRecord
  | { readonly kind: 'unknown'; readonly removed?: undefined };

/**
 * Decodes one discovery record of any release (0.4 to 1.6).
 *
 * 1. The key decides what the record is about (see {@link parseDiscoveryKey}) and wins over the value. Only entries
 *    `models/{uuid}` take namespace, component and endpoint from the value.
 * 2. The id comes from the key. If the key has none, it is the lease, or `null` without a lease. An id in the value
 *    must be the same.
 * 3. A value is either a bare instance, card or model entry, or tagged with its `type`, which must match the key.
 * 4. An absent or empty value is a removal: `removed` is true, and the rest comes from the key.
 * 5. Event sources and keys outside Dynamo's roots are `unknown`; their values are not decoded.
 * 6. Fields that tidemark does not need may be missing or have any value. A field that is read must have its type; in
 *    a card it may also be `null`, which means absent.
 *
 * Returns `{ error }` if the key or the value cannot be decoded. The offset is relative to the value, and 0 for
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
  change: DiscoveryChange,
): DiscoveryRecord | { readonly error: DecodeError } {
  return catchDecodeFailure(() => readRecord(change));
}

function readRecord({ key: text, value, lease }: DiscoveryChange): DiscoveryRecord {
  const key = requireDiscoveryKey(text);
  if (key.kind === 'unknown' || key.kind === 'eventSource') return { kind: 'unknown' };
  const identified = key.kind === 'model' ? { ...key, instanceId: key.instanceId ?? idOfLease(lease) } : key;
  if (value === undefined || value.length === 0) return { ...identified, removed: true };

  const body = readBody(value, TAGS[key.kind], key.instanceId);
  switch (identified.kind) {
    case 'instance':
      return { ...identified, transport: readInstanceTransport(body) };
    case 'eventChannel':
      return { ...identified, transport: readEventTransport(body) };
    case 'model':
      return {
        ...identified,
        ...(text.startsWith('models/') && readEndpointName(body)),
        ...readTaggedCard(body, identified.lora),
      };
  }
}

const TAGS = { instance: 'Endpoint', model: 'Model', eventChannel: 'EventChannel' } as const;

/** The value as an object, after a check that it does not contradict its key. */
function readBody(value: Uint8Array, tag: string, id: WorkerId | null): JsonObjectNode {
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

function readEndpointName(entry: JsonObjectNode): Pick<ModelRecord, 'namespace' | 'component' | 'endpoint'> {
  const endpoint = objectOf(requiredField(entry, 'endpoint'), 'endpoint');
  return {
    namespace: nameIn(endpoint, 'namespace'),
    component: nameIn(endpoint, 'component'),
    endpoint: nameIn(endpoint, 'name'),
  };
}

/** A name that is also valid in a key, because keys and values must name the same endpoints. */
function nameIn(endpoint: JsonObjectNode, member: string): string {
  const node = requiredField(endpoint, member);
  const name = stringOf(node, `endpoint.${member}`);
  if (name !== '' && !name.includes('/')) return name;
  throw new DecodeFailure('malformed', `endpoint.${member} must be a name without slashes`, node.offset);
}

/** The card of a tagged record, or the bare card. Its own LoRA name wins over the suffixes. */
function readTaggedCard(body: JsonObjectNode, keySuffix: string | null): ModelCard {
  if (field(body, 'type') === undefined) {
    const card = readModelCard(body);
    return { ...card, lora: card.lora ?? keySuffix };
  }
  const card = readModelCard(objectOf(requiredField(body, 'card_json'), 'card_json'));
  return { ...card, lora: card.lora ?? keySuffix ?? optionalString(body, 'model_suffix') };
}
