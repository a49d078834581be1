import type { RuntimeConfig } from '../../core/events/fleet-event.js';
import { jsonReady } from '../../core/ordinary-value.js';
import type { EndpointName, WorkerRole } from '../../core/sources/worker-info.js';
import type { WorkerId } from '../../core/worker-id.js';
import { DecodeFailure } from '../decode-error.js';
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
export function readInstanceTransport(record: JsonObjectNode): InstanceTransport | null {
  const transport = field(record, 'transport');
  if (transport?.kind !== 'object') return null;
  for (const kind of ['nats_tcp', 'tcp', 'http'] as const) {
    const address = field(transport, kind);
    if (address !== undefined) return { kind, address: stringOf(address, `transport.${kind}`) };
  }
  return null;
}

/** The transport of an event channel; `null` if its kind is unknown. */
export function readEventTransport(record: JsonObjectNode): EventTransport | null {
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
  /** What the worker does; `null` if the card does not say. */
  readonly role: WorkerRole | null;
  /** A worker type that is none of the known ones, as the card gives it. */
  readonly unknownRole?: string;
  readonly needs: WorkerNeeds;
  readonly runtimeConfig: RuntimeConfig;
}

/** Which other roles a worker needs: all roles of one of the lists. It needs none if there is no list. */
export type WorkerNeeds = readonly (readonly WorkerRole[])[];

/** Reads a model card. All fields are optional, and null means absent. */
function readModelCard(card: JsonObjectNode): ModelCard {
  const config = objectField(card, 'runtime_config');
  const lora = objectField(card, 'lora');
  return {
    model: optionalString(card, 'display_name') ?? optionalString(card, 'name'),
    lora: lora === null ? null : stringOf(requiredField(lora, 'name'), 'lora.name'),
    ...readRole(card),
    runtimeConfig: config === null ? {} : readRuntimeConfig(config),
  };
}

const ROLES: readonly WorkerRole[] = ['aggregated', 'decode', 'encode', 'prefill'];

/**
 * The role in a card and what it needs: `worker_type` and `needs` since 1.6. Before that, `Prefill` in `model_type` said
 * that a worker needs others that decode. A value of another form says nothing, because a worker counts whatever its role.
 */
function readRole(card: JsonObjectNode): Pick<ModelCard, 'role' | 'unknownRole' | 'needs'> {
  const workerType = textOf(field(card, 'worker_type'));
  const role = roleOf(workerType);
  if (workerType === '' && /\bPrefill\b/.test(textOf(field(card, 'model_type'))))
    return { role: 'prefill', needs: [['decode']] };
  const needs = field(card, 'needs');
  const alternatives = needs?.kind === 'array' ? needs.items.filter((item) => item.kind === 'array') : [];
  const words = alternatives.map(({ items }) => items.map(textOf));
  const unknownRole = [workerType, ...words.flat()].find((word) => word !== '' && roleOf(word) === null);
  return { role, needs: sortedNeeds(words), ...(unknownRole !== undefined && { unknownRole }) };
}

function roleOf(text: string): WorkerRole | null {
  return ROLES.find((known) => known === text) ?? null;
}

function textOf(node: JsonNode | undefined): string {
  return node?.kind === 'string' ? node.value : '';
}

/** The known roles of each alternative, in one order and without duplicates, so that equal needs are equal texts. */
function sortedNeeds(words: readonly (readonly string[])[]): WorkerNeeds {
  const byText = new Map(
    words.map((alternative) => {
      const roles = ROLES.filter((role) => alternative.includes(role));
      return [roles.join('+'), roles] as const;
    }),
  );
  return [...byText.keys()].sort().map((text) => byText.get(text) ?? []);
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

const TAGS = { instance: 'Endpoint', model: 'Model', eventChannel: 'EventChannel' } as const;

/** A value as an object, after a check that it does not contradict the kind and the id of its key. */
export function readDiscoveryValue(
  value: Uint8Array,
  kind: keyof typeof TAGS,
  id: WorkerId | null,
): JsonObjectNode {
  const tag = TAGS[kind];
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

/** The endpoint that a model entry names. */
export function readEndpointName(entry: JsonObjectNode): EndpointName {
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
export function readTaggedCard(body: JsonObjectNode, keySuffix: string | null): ModelCard {
  if (field(body, 'type') === undefined) {
    const card = readModelCard(body);
    return { ...card, lora: card.lora ?? keySuffix };
  }
  const card = readModelCard(objectOf(requiredField(body, 'card_json'), 'card_json'));
  return { ...card, lora: card.lora ?? keySuffix ?? optionalString(body, 'model_suffix') };
}
