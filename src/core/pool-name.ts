import type { EndpointName } from './endpoint-name.js';

/** Which pool: the workers that serve one model at one endpoint are judged together. */
export interface PoolName {
  readonly model: string;
  readonly endpoint: EndpointName;
}
