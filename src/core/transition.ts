import type { Verdict } from './verdict.js';
import type { WorkerId } from './worker-id.js';

/** One worker crossed: it became busy or free. */
export interface Transition {
  readonly workerId: WorkerId;
  readonly busy: boolean;
  /** When, in milliseconds of the clock that drives the reducer. */
  readonly at: number;
  /** Why, as it was then. It is worked out when it is first read. */
  readonly verdict: Verdict;
}
