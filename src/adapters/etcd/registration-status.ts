import type { StateSince } from '../../core/sources/source-status.js';
import type { WorkerId } from '../../core/worker-id.js';

/**
 * The state of a registration. `connecting`: not registered yet. `registered`: the keys exist and the lease is renewed.
 * `down`: the lease cannot be renewed at the moment, and the keys disappear when it expires. `ended`: the registration was
 * stopped and the lease revoked.
 */
export type RegistrationState = 'connecting' | 'registered' | 'down' | 'ended';

/** The status of a registration. `since` is a time of the scheduler's clock. */
export interface RegistrationStatus extends StateSince<RegistrationState> {
  /** The id of the lease; `null` until known. A new lease gets the same id. */
  readonly leaseId: WorkerId | null;
}
