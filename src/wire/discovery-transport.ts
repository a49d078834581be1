import { field, objectOf, requiredField, stringOf } from './json-fields.js';
import type { JsonNode, JsonObjectNode } from './json-node.js';
import { DecodeFailure } from './decode-error.js';

/** Where requests to an instance go: a NATS subject, `host:port/path`, or a URL. */
export interface InstanceTransport {
  readonly kind: 'nats_tcp' | 'tcp' | 'http';
  readonly address: string;
}

/** Where the events of a publisher can be had. */
export type EventTransport =
  | { readonly kind: 'nats'; readonly subjectPrefix: string }
  | { readonly kind: 'zmq'; readonly endpoint: string }
  | {
      readonly kind: 'zmqBroker';
      readonly xsubEndpoints: readonly string[];
      readonly xpubEndpoints: readonly string[];
    };

/** The transport of an instance, `null` when there is none of a known kind. */
export function instanceTransportOf(record: JsonObjectNode): InstanceTransport | null {
  const transport = field(record, 'transport');
  if (transport?.kind !== 'object') return null;
  for (const kind of ['nats_tcp', 'tcp', 'http'] as const) {
    const address = field(transport, kind);
    if (address !== undefined) return { kind, address: stringOf(address, `transport.${kind}`) };
  }
  return null;
}

/** The transport of an event channel, `null` when it is of no known kind. */
export function eventTransportOf(record: JsonObjectNode): EventTransport | null {
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
  if (node.kind !== 'array')
    throw new DecodeFailure('wrong-type', `${name} must be an array of strings`, node.offset);
  return node.items.map((item) => stringOf(item, name));
}
