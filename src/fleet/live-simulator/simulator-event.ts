import type { SourceStatus } from '../../core/sources/source-status.js';
import type { WorkerId } from '../../core/worker-id.js';
import type { RequestCounts } from '../../simulator/simulated-router.js';

/** What happens in a `LiveSimulator`. */
export type SimulatorEvent =
  /** The status of the publisher, or the common status of all registrations, or of all services of workers of 0.6. */
  | { readonly kind: 'status'; readonly status: SourceStatus }
  | {
      readonly kind: 'worker';
      readonly workerId: WorkerId;
      readonly change: 'registered' | 'left';
      /** The number of registered workers after the change. */
      readonly registered: number;
    }
  /** The last event. Workers that leave because the simulation ends still count as busy. */
  | {
      readonly kind: 'ended';
      /** The number of loads that were published. */
      readonly published: number;
      readonly busy: readonly WorkerId[];
      /** The requests of a closed loop. */
      readonly requests?: RequestCounts;
    };
