import type { PoolRole, Role } from '../events/fleet-event.js';
import type { WorkerId } from '../worker-id.js';

/** What a worker does. Workers with the role `encode` are never judged. */
export type WorkerRole = PoolRole | 'encode';

/** Dynamo's `namespace.component.endpoint`. A nested namespace is written with dots (`a.b`). */
export interface EndpointName {
  readonly namespace: string;
  readonly component: string;
  readonly endpoint: string;
}

/** The name of a pool: the workers of one model and one role at one endpoint, which are judged together. */
export interface PoolName {
  readonly model: string;
  readonly endpoint: EndpointName;
  /** `decode` when absent. Aggregated workers belong to it, too. */
  readonly role?: Role;
}

/**
 * What discovery knows about a worker besides its config.
 *
 * 1. `endpoints` are all endpoints at which it has an instance or a model card, sorted by name.
 * 2. `namespace`, `component` and `endpoint` are those of the model card that counts for it (see `DiscoveryFold`), or of
 *    the first of its endpoints while it has no such card.
 * 3. `model` is the name in that card, or `null` without one. `loras` are the names of its LoRA adapters, sorted.
 */
export interface WorkerInfo extends EndpointName {
  readonly workerId: WorkerId;
  readonly endpoints: readonly EndpointName[];
  readonly model: string | null;
  readonly loras: readonly string[];
}

/** A snapshot of all workers, or one worker that was added, changed or removed (`null`). */
export type WorkerChange =
  ReadonlyMap<WorkerId, WorkerInfo> | { readonly workerId: WorkerId; readonly info: WorkerInfo | null };
