import type { WorkerId } from '../../core/worker-id.js';

/** The status of a registration. */
export interface RegistrationStatus {
  /**
   * `connecting`: not registered yet. `registered`: the keys exist and the lease is renewed. `down`: the lease cannot be
   * renewed at the moment, and the keys disappear when it expires. `ended`: the registration was stopped and the lease
   * revoked.
   */
  readonly state: 'connecting' | 'registered' | 'down' | 'ended';
  /** When the state began, in milliseconds of the scheduler's clock. */
  readonly since: number;
  /** The id of the lease; `null` until known. A new lease gets the same id. */
  readonly leaseId: WorkerId | null;
  /** The reason for the state. */
  readonly why?: string;
  /** Time until the next attempt, in milliseconds. */
  readonly retryInMs?: number;
}
