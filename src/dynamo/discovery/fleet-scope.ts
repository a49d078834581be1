import type { EndpointName } from '../../core/sources/worker-info.js';
import { type EndpointLike, parseEndpoint, requireNamespace } from '../../wire/endpoint-names.js';

/** Which workers belong to a fleet. */
export interface FleetScope {
  /** Only workers of this namespace; a nested one is written with dots (`a.b`). All when absent. */
  readonly namespace?: string | undefined;
  /** Only workers at this endpoint, and at the prefill endpoint. All when absent. */
  readonly endpoint?: EndpointLike | undefined;
  /** The endpoint of the prefill workers. It is needed only where their model cards do not say their role. */
  readonly prefillEndpoint?: EndpointLike | undefined;
}

/** A scope whose names are valid. */
export interface ParsedScope {
  readonly namespace?: string;
  readonly endpoint?: EndpointName;
  readonly prefillEndpoint?: EndpointName;
}

/**
 * Validates a scope. Its namespace is that of the endpoint when only an endpoint is given.
 *
 * @throws ScopeError for an invalid namespace, EndpointNameError for an invalid endpoint or one outside the namespace
 */
export function parseScope(scope: FleetScope): ParsedScope {
  const given = requireNamespace(scope.namespace);
  const endpoint = scope.endpoint === undefined ? undefined : parseEndpoint(scope.endpoint, given);
  const namespace = given ?? endpoint?.namespace;
  const prefillEndpoint =
    scope.prefillEndpoint === undefined ? undefined : parseEndpoint(scope.prefillEndpoint, namespace);
  return {
    ...(namespace !== undefined && { namespace }),
    ...(endpoint !== undefined && { endpoint }),
    ...(prefillEndpoint !== undefined && { prefillEndpoint }),
  };
}
