import { ScopeError } from './load-scope.js';

/** Where entries of releases up to 0.5.1 stand, whose keys say nothing: their values name the namespace. */
const MODEL_ENTRIES = 'models/';

/** Where keys begin with the namespace, newest layout first. */
const NAMESPACED = ['v1/instances/', 'v1/mdc/', 'instances/'];

/**
 * The prefixes below which a discovery store says which workers there are and how large they are, in every release
 * (0.4 to 1.6).
 *
 * 1. With a namespace they end with a slash behind it, so that `ns1` does not bring `ns10`. What stands below
 *    `models/` comes whole, and has to be filtered by what it says.
 * 2. The cards `mdc/{slug}` of releases up to 0.5.1 are of no worker, and are left out.
 *
 * @throws ScopeError for a namespace that is empty or holds a slash.
 *
 * @example
 * ```ts
 * import { discoveryPrefixes } from 'tidemark/wire';
 *
 * console.log(discoveryPrefixes('prod').join(' '));
 * // Logs: v1/instances/prod/ v1/mdc/prod/ instances/prod/ models/
 * ```
 */
export function discoveryPrefixes(namespace?: string): readonly string[] {
  if (namespace === undefined) return [...NAMESPACED, MODEL_ENTRIES];
  if (namespace === '' || namespace.includes('/')) {
    throw new ScopeError(
      `${JSON.stringify(namespace)} is no namespace: name one without a slash, or none to see all.`,
    );
  }
  return [...NAMESPACED.map((root) => `${root}${namespace}/`), MODEL_ENTRIES];
}
