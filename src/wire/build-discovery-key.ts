import type { EndpointName } from '../core/endpoint-name.js';
import type { WorkerId } from '../core/worker-id.js';
import { ScopeError, scopeWords, type LoadScope } from './load-scope.js';
import { encodeSegment } from './percent-encoding.js';

/** A worker at its endpoint, as the keys of its records name it. */
export interface EndpointAddress extends EndpointName {
  readonly instanceId: WorkerId;
}

/**
 * The key of an instance, in the layout of release 0.6.0 and later.
 *
 * @throws ScopeError for a name that is empty or holds a slash: the layout does not escape.
 *
 * @example
 * ```ts
 * import { workerId } from 'tidemark';
 * import { instanceKey } from 'tidemark/wire';
 *
 * const at = { namespace: 'dynamo', component: 'backend', endpoint: 'generate' };
 * console.log(instanceKey({ ...at, instanceId: workerId('7587888657184927289') }));
 * // Logs: v1/instances/dynamo/backend/generate/694d988806b92e39
 * ```
 */
export function instanceKey(address: EndpointAddress): string {
  return `v1/instances/${addressPath(address)}`;
}

/**
 * The key of a model card, in the layout of release 0.6.0 and later; with `lora`, the suffix of a LoRA card
 * ({@link slugOf} makes it of the adapter's name).
 *
 * @throws ScopeError for a name that is empty or holds a slash: the layout does not escape.
 */
export function modelKey(address: EndpointAddress & { readonly lora?: string | null }): string {
  const lora = address.lora ?? null;
  return `v1/mdc/${addressPath(address)}${lora === null ? '' : `/${verbatim(lora)}`}`;
}

/**
 * The key of an event channel. Not `escaped`, it has the layout of releases 0.9 to 1.3, which has no endpoints;
 * `escaped`, that of release 1.4 and later. The default is the second when the scope has an endpoint.
 *
 * @throws ScopeError for an empty name, an endpoint without a component, and in the layout that does not escape
 *   for an endpoint and for a name with a slash.
 *
 * @example
 * ```ts
 * import { workerId } from 'tidemark';
 * import { eventChannelKey } from 'tidemark/wire';
 *
 * console.log(eventChannelKey({ namespace: 'dynamo', topic: 'kv_metrics', instanceId: workerId('255') }));
 * // Logs: v1/event_channels/dynamo//kv_metrics/ff
 * ```
 */
export function eventChannelKey(
  channel: LoadScope & { readonly topic: string; readonly instanceId: WorkerId },
  { escaped = channel.endpoint != null }: { readonly escaped?: boolean } = {},
): string {
  const { namespace, component, topic } = channel;
  const id = hexOf(channel.instanceId);
  if (escaped) {
    if (topic === '') throw new ScopeError('The topic has an empty name.');
    const scope = scopeWords(channel, encodeSegment).join('/');
    return `v1/event_channels/${scope}/topic/${encodeSegment(topic)}/${id}`;
  }
  if (channel.endpoint != null) {
    throw new ScopeError('The layout that does not escape has no endpoints: leave it out.');
  }
  const scope = `${verbatim(namespace)}/${component == null ? '' : verbatim(component)}`;
  return `v1/event_channels/${scope}/${verbatim(topic)}/${id}`;
}

function addressPath({ namespace, component, endpoint, instanceId }: EndpointAddress): string {
  return `${verbatim(namespace)}/${verbatim(component)}/${verbatim(endpoint)}/${hexOf(instanceId)}`;
}

function hexOf(id: WorkerId): string {
  return BigInt(id).toString(16);
}

function verbatim(name: string): string {
  if (name === '' || name.includes('/')) {
    throw new ScopeError(
      `${JSON.stringify(name)} cannot stand in a discovery key: take a name without slashes.`,
    );
  }
  return name;
}
