import type { PoolName } from '../core/pool-name.js';
import { endpointPath } from './endpoint-path.js';

/** A pool as one text. The names of an endpoint have no slash, so what follows the third is the model. */
export function poolPath({ model, endpoint }: PoolName): string {
  return `${endpointPath(endpoint)}/${model}`;
}
