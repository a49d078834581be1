import { shownValue } from '../../core/option-problems.js';
import { type WorkerId, workerIdFromHex } from '../../core/worker-id.js';
import { type DecodeError, DecodeFailure, catchDecodeFailure } from '../../wire/decode-error.js';
import type { EndpointAddress } from '../../wire/discovery/encode-discovery-record.js';
import { type LoadScope, ScopeError, requireNamespace, scopeWords } from '../../wire/endpoint-names.js';
import type { NamespaceMatch } from './namespaces.js';
import { decodeSegment, encodeSegment } from '../../wire/text-codecs.js';

/** The key of an instance. */
export interface InstanceKey {
  readonly kind: 'instance';
  readonly namespace: string;
  readonly component: string;
  readonly endpoint: string;
  readonly instanceId: WorkerId;
}

/** The key of a model card. Keys up to release 0.5.1 (`models/{uuid}`, `mdc/{slug}`) contain no names: all are `null`. */
export interface ModelKey {
  readonly kind: 'model';
  readonly namespace: string | null;
  readonly component: string | null;
  readonly endpoint: string | null;
  readonly instanceId: WorkerId | null;
  /** The suffix in the key of a LoRA card; `null` for a base card. */
  readonly lora: string | null;
}

/** The key of a record that says where the events of a publisher are available. */
export interface EventChannelKey extends PublisherKey {
  readonly kind: 'eventChannel';
}

/** The key of a record in which a publisher describes itself. */
export interface EventSourceKey extends PublisherKey {
  readonly kind: 'eventSource';
}

/** The parts of a publisher's key. */
export interface PublisherKey {
  readonly namespace: string;
  /** `null`: the events cover the whole namespace. */
  readonly component: string | null;
  /** `null`: the events cover the whole component or namespace. */
  readonly endpoint: string | null;
  readonly topic: string;
  /** The id of the publisher: up to release 1.1 that of the worker, later a random one. */
  readonly instanceId: WorkerId;
}

/** A parsed discovery key; `unknown` is a key outside Dynamo's roots. */
export type DiscoveryKey =
  InstanceKey | ModelKey | EventChannelKey | EventSourceKey | { readonly kind: 'unknown' };

/**
 * Parses a discovery key of any release (0.4 to 1.6).
 *
 * 1. `v1/instances/{ns}/{component}/{endpoint}/{id}` and `instances/{ns}/{component}/{endpoint}[:{id}]` are
 *    instances. A key without an id belongs to the static worker, whose id is 0.
 * 2. `v1/mdc/{ns}/{component}/{endpoint}/{id}[/{lora}]`, `models/{uuid}` and `mdc/{slug}` are models.
 * 3. `v1/event_channels/{ns}/{component}/{topic}/{id}`, where an empty component means the whole namespace, and
 *    `v1/event_channels/namespace/{ns}[/component/{c}[/endpoint/{e}]]/topic/{topic}/{id}`, whose names are
 *    escaped, are event channels. The same layouts below `v1/event_sources` are event sources. The first layout has
 *    four segments and the second five, seven or nine, so a namespace called `namespace` is not ambiguous.
 * 4. Ids are hexadecimal, in upper or lower case. A key outside these roots is `unknown`.
 *
 * Returns `{ error }` with the code `bad-key` for a key below one of these roots that has another shape.
 *
 * @example
 * ```ts
 * import { parseDiscoveryKey } from 'tidemark/dynamo';
 *
 * const key = parseDiscoveryKey('v1/instances/dynamo/backend/generate/694d988806b92e39');
 * if ('kind' in key && key.kind === 'instance') console.log(key.instanceId);
 * // Logs: 7587888657184927289
 * ```
 */
export function parseDiscoveryKey(key: string): DiscoveryKey | { readonly error: DecodeError } {
  return catchDecodeFailure(() => requireDiscoveryKey(key));
}

/** Like {@link parseDiscoveryKey}, but throws a DecodeFailure (internal to wire/). */
export function requireDiscoveryKey(key: string): DiscoveryKey {
  for (const [root, read] of READERS) {
    if (!key.startsWith(root)) continue;
    const parsed = read(key.slice(root.length).split('/'));
    if (parsed === undefined) {
      throw new DecodeFailure(
        'bad-key',
        `${JSON.stringify(key.slice(0, 400))} is not a key that Dynamo writes below ${root}`,
        0,
      );
    }
    return parsed;
  }
  return { kind: 'unknown' };
}

type Reader = (segments: readonly string[]) => DiscoveryKey | undefined;

const READERS: readonly (readonly [root: string, read: Reader])[] = [
  ['v1/instances/', instance],
  ['v1/mdc/', model],
  ['v1/event_channels/', (segments) => publisher('eventChannel', segments)],
  ['v1/event_sources/', (segments) => publisher('eventSource', segments)],
  ['instances/', instanceBefore060],
  ['models/', modelBefore060],
  ['mdc/', modelBefore060],
];

const HEX = /^[0-9a-fA-F]{1,16}$/;
const STATIC_WORKER_ID = '0';

function instance(segments: readonly string[]): DiscoveryKey | undefined {
  const [namespace, component, endpoint, id] = segments;
  if (segments.length !== 4 || !namespace || !component || !endpoint || !isId(id)) return undefined;
  return { kind: 'instance', namespace, component, endpoint, instanceId: workerIdFromHex(id) };
}

function instanceBefore060(segments: readonly string[]): DiscoveryKey | undefined {
  const [namespace, component, last = ''] = segments;
  const colon = last.lastIndexOf(':');
  const endpoint = colon < 0 ? last : last.slice(0, colon);
  const id = colon < 0 ? STATIC_WORKER_ID : last.slice(colon + 1);
  if (segments.length !== 3 || !namespace || !component || !endpoint || !isId(id)) return undefined;
  return { kind: 'instance', namespace, component, endpoint, instanceId: workerIdFromHex(id) };
}

function model(segments: readonly string[]): DiscoveryKey | undefined {
  const [namespace, component, endpoint, id, lora = null] = segments;
  if (segments.length > 5 || !namespace || !component || !endpoint || !isId(id) || lora === '')
    return undefined;
  return { kind: 'model', namespace, component, endpoint, instanceId: workerIdFromHex(id), lora };
}

function modelBefore060(segments: readonly string[]): DiscoveryKey | undefined {
  if (segments.length !== 1 || segments[0] === '') return undefined;
  return { kind: 'model', namespace: null, component: null, endpoint: null, instanceId: null, lora: null };
}

function publisher(
  kind: 'eventChannel' | 'eventSource',
  segments: readonly string[],
): DiscoveryKey | undefined {
  const scope = segments.length === 4 ? verbatimScope(segments) : escapedScope(segments);
  const id = segments.at(-1);
  if (scope === undefined || !isId(id)) return undefined;
  const { namespace, component, endpoint, topic } = scope;
  if (!namespace || component === '' || endpoint === '' || !topic) return undefined;
  return { kind, namespace, component, endpoint, topic, instanceId: workerIdFromHex(id) };
}

type Channel = Omit<PublisherKey, 'instanceId'>;

function verbatimScope([namespace = '', component = '', topic = '']: readonly string[]): Channel {
  return { namespace, component: component || null, endpoint: null, topic };
}

/** Parses the escaped layout: pairs of a word and a name, then the id. */
function escapedScope(segments: readonly string[]): Channel | undefined {
  const words = segments.filter((_, i) => i % 2 === 0 && i < segments.length - 1);
  if (segments.length % 2 === 0 || !ESCAPED_WORDS.has(words.join('/'))) return undefined;
  const names = catchDecodeFailure(() => segments.filter((_, i) => i % 2 === 1).map(decodeSegment));
  if ('error' in names) return undefined;
  const topic = names.pop() ?? '';
  const [namespace = '', component = null, endpoint = null] = names;
  return { namespace, component, endpoint, topic };
}

const ESCAPED_WORDS: ReadonlySet<string> = new Set([
  'namespace/topic',
  'namespace/component/topic',
  'namespace/component/endpoint/topic',
]);

function isId(text: string | undefined): text is string {
  return text !== undefined && HEX.test(text);
}

/**
 * The key of an instance, in the layout of release 0.6.0 and later.
 *
 * @throws ScopeError if a name is empty or contains a slash, because this layout does not escape names.
 *
 * @example
 * ```ts
 * import { workerId } from 'tidemark';
 * import { instanceKey } from 'tidemark/dynamo';
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
 * The key of a model card, in the layout of release 0.6.0 and later. `lora` is the suffix of a LoRA card
 * ({@link toSlug} converts the name of an adapter).
 *
 * @throws ScopeError if a name is empty or contains a slash, because this layout does not escape names.
 */
export function modelKey(address: EndpointAddress & { readonly lora?: string | null }): string {
  const lora = address.lora ?? null;
  return `v1/mdc/${addressPath(address)}${lora === null ? '' : `/${requireKeySegment(lora)}`}`;
}

/**
 * The key of an event channel. With `escaped` it has the layout of release 1.4 and later, which is the default if the
 * scope has an endpoint; without, that of releases 0.9 to 1.3, which have no endpoints.
 *
 * @throws ScopeError for an empty name, for an endpoint without a component, and, in the layout without escapes, for
 *   an endpoint and for a name with a slash.
 *
 * @example
 * ```ts
 * import { workerId } from 'tidemark';
 * import { eventChannelKey } from 'tidemark/dynamo';
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
    if (topic === '') throw new ScopeError('The topic is empty: give it a name.');
    const scope = scopeWords(channel, encodeSegment).join('/');
    return `v1/event_channels/${scope}/topic/${encodeSegment(topic)}/${id}`;
  }
  if (channel.endpoint != null) {
    throw new ScopeError('The layout without escapes has no endpoints: leave out the endpoint.');
  }
  const scope = `${requireKeySegment(namespace)}/${component == null ? '' : requireKeySegment(component)}`;
  return `v1/event_channels/${scope}/${requireKeySegment(topic)}/${id}`;
}

function addressPath({ namespace, component, endpoint, instanceId }: EndpointAddress): string {
  return `${requireKeySegment(namespace)}/${requireKeySegment(component)}/${requireKeySegment(endpoint)}/${hexOf(instanceId)}`;
}

function hexOf(id: WorkerId): string {
  return BigInt(id).toString(16);
}

function requireKeySegment(name: string): string {
  if (typeof name !== 'string' || name === '' || name.includes('/')) {
    throw new ScopeError(
      `${shownValue(name)} is not a valid name in a discovery key: it must not be empty or contain a slash.`,
    );
  }
  return name;
}

/** The root of model entries up to release 0.5.1. Only their values name the namespace. */
const MODEL_ENTRIES = 'models/';

/** The root of the records that say where the events of a publisher are available. */
const EVENT_CHANNELS = 'v1/event_channels/';

/** Roots whose keys begin with the namespace, newest layout first. */
const NAMESPACED = ['v1/instances/', 'v1/mdc/', 'instances/'];

/** The layouts of the releases that have generations of namespaces. */
const WITH_GENERATIONS = ['v1/instances/', 'v1/mdc/'];

/**
 * The prefixes of all keys that say where events are available, by the same rules as {@link discoveryPrefixes}. A filter by
 * {@link eventNamespace} is needed.
 */
export function eventChannelPrefixes(
  namespace: string | undefined,
  match: NamespaceMatch,
): readonly string[] {
  if (namespace === undefined) return [EVENT_CHANNELS];
  const roots = [`${EVENT_CHANNELS}${namespace}`, `${EVENT_CHANNELS}namespace/${encodeSegment(namespace)}`];
  if (match === 'prefix') return roots;
  const ends = match === 'generations' ? ['/', '-'] : ['/'];
  return roots.flatMap((root) => ends.map((end) => `${root}${end}`));
}

/** The namespace in a key that says where events are available; `undefined` for any other key. */
export function eventNamespace(text: string): string | undefined {
  if (!text.startsWith(EVENT_CHANNELS)) return undefined;
  const key = parseDiscoveryKey(text);
  return 'kind' in key && key.kind === 'eventChannel' ? key.namespace : undefined;
}

/**
 * The namespace in a key that describes a worker; `null` if only the value names it, and `undefined` for any other key.
 */
export function namespaceInKey(key: string): string | null | undefined {
  const root = NAMESPACED.find((one) => key.startsWith(one));
  if (root === undefined) return key.startsWith(MODEL_ENTRIES) ? null : undefined;
  return key.slice(root.length).split('/', 1)[0];
}

/**
 * The prefixes of all keys that describe workers, in every release (0.4 to 1.6).
 *
 * 1. With a namespace they end with a slash, so `ns1` does not match `ns10`. The prefix `models/` covers all
 *    namespaces: filter its entries by their values.
 * 2. With `generations`, prefixes that end with a hyphen are added: they cover the generations of the namespace, and other
 *    namespaces too. With `prefix`, the prefixes end with the name. Filter their keys by {@link NamespaceMatch}.
 * 3. The cards `mdc/{slug}` of releases up to 0.5.1 belong to no worker and are not included.
 *
 * @param match which namespaces the name selects; only itself when absent
 * @throws ScopeError if the namespace is empty or contains a slash.
 *
 * @example
 * ```ts
 * import { discoveryPrefixes } from 'tidemark/dynamo';
 *
 * console.log(discoveryPrefixes('prod').join(' '));
 * // Logs: v1/instances/prod/ v1/mdc/prod/ instances/prod/ models/
 * ```
 */
export function discoveryPrefixes(namespace?: string, match: NamespaceMatch = 'exact'): readonly string[] {
  const only = requireNamespace(namespace);
  if (only === undefined) return [...NAMESPACED, MODEL_ENTRIES];
  if (only.includes('/')) {
    throw new ScopeError(
      `${JSON.stringify(only)} is not a valid namespace: it must not contain a slash. Leave it out to see all.`,
    );
  }
  if (match === 'prefix') return [...NAMESPACED.map((root) => `${root}${only}`), MODEL_ENTRIES];
  const generations = match === 'generations' ? WITH_GENERATIONS.map((root) => `${root}${only}-`) : [];
  return [...NAMESPACED.map((root) => `${root}${only}/`), ...generations, MODEL_ENTRIES];
}
