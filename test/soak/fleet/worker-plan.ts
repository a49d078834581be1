import type { WorkerId } from '../../../src/core/worker-id.js';

/** Who a worker is and where it says so; plain data. */
export interface WorkerPlan {
  readonly etcd: string;
  readonly nats: string;
  readonly workerId: WorkerId;
  readonly publisherId: string;
  readonly generation: '1.0' | '1.6';
  readonly totalKvBlocks: number;
  readonly ranks: number;
  readonly seed: number;
}

/** One publisher from its begin to its end, by a clock that is never stepped. */
export interface WorkerLife {
  readonly publisherId: string;
  readonly beganAt: number;
  endedAt: number | null;
  /** As many messages, from 0, were numbered. `null`: it was killed, and nobody knows. */
  count: number | null;
}

/** Above this part of its blocks a rank is busy. */
export const MARK = 0.85;
