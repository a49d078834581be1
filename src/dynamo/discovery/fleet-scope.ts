import { oneOf, shownValue } from '../../core/option-problems.js';
import type { EndpointName } from '../../core/sources/worker-info.js';
import { type EndpointLike, ScopeError, parseEndpoint, requireNamespace } from '../../wire/endpoint-names.js';
import { type NamespaceMatch, namespaceMatches, selectsNamespace } from './namespaces.js';

/** Which workers belong to a fleet. */
export interface FleetScope {
  /**
   * Only workers of this namespace and of its generations (`prod` and `prod-1a2b3c4d`); a nested one is written with dots
   * (`a.b`). All when absent.
   */
  readonly namespace?: string | undefined;
  /** Which namespaces the name selects: `generations` when absent. It also applies to the namespaces of the endpoints. */
  readonly namespaceMatch?: NamespaceMatch | undefined;
  /** Only workers at this endpoint, and at the prefill endpoint. All when absent. */
  readonly endpoint?: EndpointLike | undefined;
  /** The endpoint of the prefill workers. It is needed only where their model cards do not say their role. */
  readonly prefillEndpoint?: EndpointLike | undefined;
}

/** A scope whose names are valid. */
export interface ParsedScope {
  readonly namespace?: string;
  readonly namespaceMatch: NamespaceMatch;
  readonly endpoint?: EndpointName;
  readonly prefillEndpoint?: EndpointName;
}

/**
 * Validates a scope. Its namespace is that of the endpoint when only an endpoint is given.
 *
 * @throws ScopeError for an invalid namespace or match, EndpointNameError for an invalid endpoint or one outside the
 *   namespace
 */
export function parseScope(scope: FleetScope): ParsedScope {
  const given = requireNamespace(scope.namespace);
  const { namespaceMatch = 'generations' } = scope;
  if (!namespaceMatches.includes(namespaceMatch)) {
    throw new ScopeError(
      `The namespaceMatch must be ${oneOf(namespaceMatches).what}, not ${shownValue(namespaceMatch)}.`,
    );
  }
  const endpoint =
    scope.endpoint === undefined
      ? undefined
      : parseEndpointIn({ namespace: given, namespaceMatch }, scope.endpoint);
  // The endpoint may be in one generation of the given namespace.
  const namespace = endpoint?.namespace ?? given;
  if (namespace === undefined && namespaceMatch !== 'generations')
    throw new ScopeError('The namespaceMatch needs a namespace: set it, or leave out the namespaceMatch.');
  const prefillEndpoint =
    scope.prefillEndpoint === undefined ? undefined : parseEndpoint(scope.prefillEndpoint, namespace);
  return {
    namespaceMatch,
    ...(namespace !== undefined && { namespace }),
    ...(endpoint !== undefined && { endpoint }),
    ...(prefillEndpoint !== undefined && { prefillEndpoint }),
  };
}

/**
 * Parses an endpoint in one of the namespaces of a scope.
 *
 * @throws EndpointNameError for an invalid endpoint or one outside the scope
 */
export function parseEndpointIn(
  {
    namespace,
    namespaceMatch,
  }: { readonly namespace?: string | undefined } & Pick<ParsedScope, 'namespaceMatch'>,
  endpoint: EndpointLike,
): EndpointName {
  return parseEndpoint(
    endpoint,
    namespace,
    (own) => namespace === undefined || selectsNamespace(namespace, namespaceMatch, own),
  );
}

/** Whether an endpoint is the given one, in one of the namespaces that its namespace selects. */
export function isEndpoint(wanted: EndpointName, match: NamespaceMatch, at: EndpointName): boolean {
  return (
    wanted.component === at.component &&
    wanted.endpoint === at.endpoint &&
    selectsNamespace(wanted.namespace, match, at.namespace)
  );
}
