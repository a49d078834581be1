import type { WorkerId } from '../../core/worker-id.js';

/** How a registration is. */
export interface RegistrationStatus {
  /**
   * `connecting`: not registered yet. `registered`: the keys are there and the lease is kept alive. `down`: it cannot
   * be kept alive at the moment, and the keys go when the lease runs out. `ended`: it was stopped, and the lease
   * revoked.
   */
  readonly state: 'connecting' | 'registered' | 'down' | 'ended';
  /** Since when, in milliseconds of the scheduler's clock. */
  readonly since: number;
  /** The worker's id, `null` until it has one. It is the id of the lease, and stays when the lease is made anew. */
  readonly workerId: WorkerId | null;
  readonly why?: string;
  readonly retryInMs?: number;
}
