import { TidemarkError } from '../core/errors.js';
import { anObject, isRecord, shownValue } from '../core/option-problems.js';
import type { EndpointName, ModelPool } from '../core/sources/worker-info.js';

/**
 * The scope of the events on a subject or an event channel: a namespace, one of its components, or one endpoint of
 * that component. Absent and `null` mean the same. A nested namespace is written with dots (`a.b`).
 */
export interface LoadScope {
  readonly namespace: string;
  readonly component?: string | null | undefined;
  readonly endpoint?: string | null | undefined;
}

/** A name is not valid in the subject or key to build. */
export class ScopeError extends TidemarkError {
  override readonly name = 'ScopeError';

  constructor(reason: string) {
    super('scope', reason);
  }
}

/** The words and names of a scope, outermost first: `namespace`, its name, `component`, its name, and so on. */
export function scopeWords(scope: LoadScope, segment: (name: string) => string): readonly string[] {
  const words: string[] = [];
  for (const word of ['namespace', 'component', 'endpoint'] as const) {
    const name = scope[word];
    if (name == null) continue;
    if (name === '') throw new ScopeError(`The ${word} is empty: give it a name.`);
    if (typeof name !== 'string')
      throw new ScopeError(`The ${word} must be a string, not ${shownValue(name)}.`);
    if (word === 'endpoint' && scope.component == null) {
      throw new ScopeError(`The endpoint ${JSON.stringify(name)} has no component: name the component too.`);
    }
    words.push(word, segment(name));
  }
  return words;
}

/**
 * The namespace of options; `undefined` for every namespace.
 *
 * @throws ScopeError for anything but a string, and for an empty one
 */
export function requireNamespace(namespace: string | undefined): string | undefined {
  if (namespace === undefined) return undefined;
  if (typeof namespace !== 'string' || namespace === '') {
    throw new ScopeError(
      `${shownValue(namespace)} is not a valid namespace: it must be a string that is not empty. Leave it out to see all.`,
    );
  }
  return namespace;
}

/** An endpoint as a user writes it: `component.endpoint`, `namespace.component.endpoint`, or an object. */
export type EndpointLike = string | (Omit<EndpointName, 'namespace'> & { readonly namespace?: string });

/** The given value is not a valid endpoint, or is outside the watched namespace. */
export class EndpointNameError extends TidemarkError {
  override readonly name = 'EndpointNameError';

  constructor(
    readonly given: string,
    reason: string,
  ) {
    super('endpoint-name', `${given.slice(0, 200)} ${reason}`);
  }
}

const SCHEME = 'dyn://';

/**
 * Parses an endpoint as a user writes it.
 *
 * 1. A string is read from the right: the endpoint, the component, and the rest is the namespace, which may contain
 *    dots. A leading `dyn://`, as in Dynamo's own options, is ignored.
 * 2. The second argument is the default namespace, and the only one allowed unless the third argument allows others.
 * 3. A name must not be empty or contain a slash. A component or endpoint with a dot needs the object form.
 *
 * @throws EndpointNameError, code `endpoint-name`.
 *
 * @example
 * ```ts
 * import { parseEndpoint } from 'tidemark/wire';
 *
 * console.log(parseEndpoint('a.b.backend.generate').namespace, parseEndpoint('backend.generate', 'prod').namespace);
 * // Logs: a.b prod
 * ```
 */
export function parseEndpoint(
  given: EndpointLike,
  namespace?: string,
  isAllowed: (namespace: string) => boolean = (own) => own === namespace,
): EndpointName {
  const shown = shownEndpoint(given);
  if (typeof given !== 'string' && !anObject.is(given))
    throw new EndpointNameError(
      shown,
      'is not an endpoint: write component.endpoint or namespace.component.endpoint.',
    );
  const parts = typeof given === 'string' ? partsOf(given) : given;
  const named = { ...parts, namespace: parts.namespace ?? namespace };
  if (named.namespace === undefined) {
    throw new EndpointNameError(
      shown,
      'has no namespace: write namespace.component.endpoint, or set the namespace option.',
    );
  }
  const { component, endpoint } = named;
  const wanted = { namespace: named.namespace, component, endpoint };
  if (Object.values(wanted).some((name) => typeof name !== 'string' || name === '' || name.includes('/'))) {
    throw new EndpointNameError(
      shown,
      'is not a valid endpoint: write component.endpoint or namespace.component.endpoint, without slashes.',
    );
  }
  if (namespace !== undefined && !isAllowed(wanted.namespace)) {
    throw new EndpointNameError(shown, `is outside the watched namespace ${shownValue(namespace)}.`);
  }
  return wanted;
}

/** Whether an endpoint names its namespace. */
export function hasNamespace(given: EndpointLike): boolean {
  return (typeof given === 'string' ? partsOf(given) : given).namespace !== undefined;
}

function shownEndpoint(given: unknown): string {
  if (!isRecord(given)) return shownValue(given);
  const { namespace, component, endpoint } = given;
  return `{${[namespace, component, endpoint].map(shownValue).join('.')}}`;
}

function partsOf(text: string): Omit<EndpointName, 'namespace'> & { readonly namespace?: string } {
  const parts = text.slice(text.startsWith(SCHEME) ? SCHEME.length : 0).split('.');
  const [component = '', endpoint = ''] = parts.slice(-2);
  if (parts.length < 2) return { component: '', endpoint: '', namespace: '' };
  return { component, endpoint, ...(parts.length > 2 && { namespace: parts.slice(0, -2).join('.') }) };
}

/** The path of an endpoint, `namespace/component/endpoint`. It is unique, because names contain no slash. */
export function endpointPath({ namespace, component, endpoint }: EndpointName): string {
  return `${namespace}/${component}/${endpoint}`;
}

/** An endpoint as people write it: `namespace.component.endpoint`. */
export function endpointText({ namespace, component, endpoint }: EndpointName): string {
  return `${namespace}.${component}.${endpoint}`;
}

/** The path of a pool: that of its endpoint, its role, and its model, which may contain slashes. It is unique. */
export function poolPath({ model, endpoint, role = 'decode' }: ModelPool): string {
  return `${endpointPath(endpoint)}/${role}/${model}`;
}
