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

/** The name of a pool of a model: one that is judged, or the encode workers at an endpoint, which are only shown. */
export type ModelPool = PoolName | (Omit<PoolName, 'role'> & { readonly role: 'encode' });

/** Whether the workers of a model in one namespace can serve it, as a Dynamo frontend decides from their model cards. */
export interface ModelReadiness {
  readonly namespace: string;
  /** It may be `false` with nothing missing: then workers of one role are at several endpoints, and the frontend serves none. */
  readonly ready: boolean;
  /** The roles without which it is not ready, sorted. Empty where cards of releases before 1.6 do not say their roles. */
  readonly missing: readonly WorkerRole[];
}

/**
 * A name that users can request: a model, or a LoRA adapter of one.
 *
 * 1. `adapterOf` is the model whose workers carry the model card of this adapter; `null` for a model. A name that is both
 *    is a model.
 * 2. `pools` are sorted by endpoint and role. Those of an adapter have its name as `model`, and consist of the workers that
 *    carry its card.
 * 3. `readiness` has an entry for each namespace with workers of the model, sorted by name. It says nothing about load.
 */
export interface FleetModel {
  readonly name: string;
  readonly adapterOf: string | null;
  readonly pools: readonly ModelPool[];
  readonly readiness: readonly ModelReadiness[];
}

/**
 * What discovery knows about a worker besides its config.
 *
 * 1. `endpoints` are all endpoints at which it has an instance or a model card, sorted by name.
 * 2. `namespace`, `component` and `endpoint` are those of the model card that counts for it (see `DiscoveryFold`), or of
 *    the first of its endpoints while it has no such card.
 * 3. `model` is the name in that card, or `null` without one. `models` are the names in all its model cards except those of
 *    LoRA adapters, and `roles` what it does according to them. `loras` are the names of its LoRA adapters. All are sorted.
 */
export interface WorkerInfo extends EndpointName {
  readonly workerId: WorkerId;
  readonly endpoints: readonly EndpointName[];
  readonly model: string | null;
  readonly models: readonly string[];
  readonly roles: readonly WorkerRole[];
  readonly loras: readonly string[];
}

/** A snapshot of all workers, or one worker that was added, changed or removed (`null`). */
export type WorkerChange =
  ReadonlyMap<WorkerId, WorkerInfo> | { readonly workerId: WorkerId; readonly info: WorkerInfo | null };
