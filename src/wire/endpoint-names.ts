import { TidemarkError } from '../core/errors.js';
import type { EndpointName, PoolName } from '../core/sources/worker-info.js';

/**
 * Whose events a subject or an event channel carries: those of a namespace, of one component in it, or of one
 * endpoint of that component. Absent and `null` mean the same. A nested namespace is written with dots (`a.b`).
 */
export interface LoadScope {
  readonly namespace: string;
  readonly component?: string | null | undefined;
  readonly endpoint?: string | null | undefined;
}

/** A subject or key was to be built of names that it cannot hold. */
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
    if (name === '') throw new ScopeError(`The ${word} has an empty name.`);
    if (word === 'endpoint' && scope.component == null) {
      throw new ScopeError(`The endpoint ${JSON.stringify(name)} stands without a component: name it too.`);
    }
    words.push(word, segment(name));
  }
  return words;
}

/** An endpoint as a user writes it. */
export type EndpointLike = string | (Omit<EndpointName, 'namespace'> & { readonly namespace?: string });

/** What was given names no endpoint, or none that is watched. */
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
 * The endpoint that a user means.
 *
 * 1. A text is read from the right: endpoint, component, and what is left is the namespace, which may have dots.
 *    A leading `dyn://`, as Dynamo's own options have it, is left out.
 * 2. Without a namespace it is of the one given as second argument, and must not be of another one than that.
 * 3. A name is not empty and has no slash. One with a dot needs the object form.
 *
 * @throws EndpointNameError, code `endpoint-name`.
 *
 * @example
 * ```ts
 * import { endpointOf } from 'tidemark/wire';
 *
 * console.log(endpointOf('a.b.backend.generate').namespace, endpointOf('backend.generate', 'prod').namespace);
 * // Logs: a.b prod
 * ```
 */
export function parseEndpoint(given: EndpointLike, namespace?: string): EndpointName {
  const shown = JSON.stringify(given);
  const parts = typeof given === 'string' ? partsOf(given) : given;
  const named = { ...parts, namespace: parts.namespace ?? namespace };
  if (named.namespace === undefined) {
    throw new EndpointNameError(
      shown,
      'has no namespace: write namespace.component.endpoint, or watch one namespace.',
    );
  }
  const { component, endpoint } = named;
  const wanted = { namespace: named.namespace, component, endpoint };
  if (Object.values(wanted).some((name) => typeof name !== 'string' || name === '' || name.includes('/'))) {
    throw new EndpointNameError(
      shown,
      'is no endpoint: write component.endpoint or namespace.component.endpoint, without slashes.',
    );
  }
  if (namespace !== undefined && wanted.namespace !== namespace) {
    throw new EndpointNameError(
      shown,
      `lies outside the namespace ${JSON.stringify(namespace)}, which is all that is watched.`,
    );
  }
  return wanted;
}

function partsOf(text: string): Omit<EndpointName, 'namespace'> & { readonly namespace?: string } {
  const parts = text.slice(text.startsWith(SCHEME) ? SCHEME.length : 0).split('.');
  const [component = '', endpoint = ''] = parts.slice(-2);
  if (parts.length < 2) return { component: '', endpoint: '', namespace: '' };
  return { component, endpoint, ...(parts.length > 2 && { namespace: parts.slice(0, -2).join('.') }) };
}

/** An endpoint as keys write it, `namespace/component/endpoint`: names hold no slash. */
export function endpointPath({ namespace, component, endpoint }: EndpointName): string {
  return `${namespace}/${component}/${endpoint}`;
}

/** An endpoint as people write it: `namespace.component.endpoint`. */
export function endpointText({ namespace, component, endpoint }: EndpointName): string {
  return `${namespace}.${component}.${endpoint}`;
}

/** A pool as one text. The names of an endpoint have no slash, so what follows the third is the model. */
export function poolPath({ model, endpoint }: PoolName): string {
  return `${endpointPath(endpoint)}/${model}`;
}
