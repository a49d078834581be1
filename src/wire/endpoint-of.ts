import type { EndpointName } from '../core/endpoint-name.js';
import { TidemarkError } from '../core/tidemark-error.js';

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
export function endpointOf(given: EndpointLike, namespace?: string): EndpointName {
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
