import type { WorkerId } from '../../../src/core/worker-id.js';

/** The identity of a worker and its servers, as plain data. */
export interface WorkerPlan {
  readonly etcd: string;
  readonly nats: string;
  readonly workerId: WorkerId;
  readonly publisherId: string;
  readonly release: '1.0' | '1.6';
  readonly totalKvBlocks: number;
  readonly ranks: number;
  readonly seed: number;
}

/** The lifetime of a publisher, by a clock that is never stepped. */
export interface WorkerLifetime {
  readonly publisherId: string;
  readonly beganAt: number;
  endedAt: number | null;
  /** The number of messages, which are numbered from 0. `null` if it was killed and the number is unknown. */
  count: number | null;
}

/** The threshold: a rank is busy above this fraction of its blocks. */
export const THRESHOLD = 0.85;
