import type { WorkerId } from '../worker-id.js';

/** An endpoint of a fleet, by its three names. A nested namespace is written with dots (`a.b`). */
export interface EndpointName {
  readonly namespace: string;
  readonly component: string;
  readonly endpoint: string;
}

/** Which pool: the workers that serve one model at one endpoint are judged together. */
export interface PoolName {
  readonly model: string;
  readonly endpoint: EndpointName;
}

/**
 * What discovery knows of a worker besides its size.
 *
 * 1. `endpoints` are all endpoints at which it has an instance or a card, in the order of their names.
 * 2. `namespace`, `component` and `endpoint` are those of the card that counts for it (see `DiscoveryFold`); of the
 *    first of its endpoints as long as it has no such card.
 * 3. `model` is the name in that card, `null` without one; `loras` are the adapters of its LoRA cards, in order.
 */
export interface WorkerInfo extends EndpointName {
  readonly workerId: WorkerId;
  readonly endpoints: readonly EndpointName[];
  readonly model: string | null;
  readonly loras: readonly string[];
}

/** All workers at once, or one that is new, known better, or (`null`) gone. */
export type WorkerChange =
  ReadonlyMap<WorkerId, WorkerInfo> | { readonly workerId: WorkerId; readonly info: WorkerInfo | null };
