import type { EndpointName } from '../core/endpoint-name.js';

/** An endpoint as keys write it, `namespace/component/endpoint`: names hold no slash. */
export function endpointPath({ namespace, component, endpoint }: EndpointName): string {
  return `${namespace}/${component}/${endpoint}`;
}
