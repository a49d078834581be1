import type { PoolName } from '../core/pool-name.js';
import type { RuntimeConfig } from '../core/runtime-config.js';
import type { WorkerId } from '../core/worker-id.js';
import type { WorkerInfo } from '../core/worker-info.js';
import type { DecodeError } from './decode-error.js';

/** What one batch changed. What is equal to what was known before is not in it. */
export interface DiscoveryDifference {
  /** Cards that count, new, changed, or (`null`) gone. */
  readonly configs: ReadonlyMap<WorkerId, RuntimeConfig | null>;
  /** By path of the endpoint, see {@link endpointPath}. */
  readonly endpoints: ReadonlyMap<string, EndpointDifference>;
  /** The same for the workers of one model at one endpoint, by path of the pool. */
  readonly pools: ReadonlyMap<string, PoolDifference>;
  /** Workers that are new, known better, or (`null`) gone: none of their keys is left. */
  readonly workers: ReadonlyMap<WorkerId, WorkerInfo | null>;
  /** Keys that were written and could not be read. */
  readonly problems: readonly DiscoveryProblem[];
}

/** What one batch changed at one endpoint. */
export interface EndpointDifference {
  /** Cards of this endpoint, new, changed, or (`null`) gone. */
  readonly configs: ReadonlyMap<WorkerId, RuntimeConfig | null>;
  /** Whether the worker is there now; only workers that came or went. */
  readonly instances: ReadonlyMap<WorkerId, boolean>;
}

/** What one batch changed in one pool. */
export interface PoolDifference extends EndpointDifference {
  readonly name: PoolName;
}

/** A key that could not be read, or its value. What it said last stays in force. */
export interface DiscoveryProblem {
  readonly key: string;
  readonly error: DecodeError;
  /** The worker it is of, `null` where that is not known. */
  readonly workerId: WorkerId | null;
}
