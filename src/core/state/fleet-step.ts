import type { FleetCounts } from '../judgement/fleet-state.js';
import type { Verdict } from '../judgement/verdict.js';
import type { LoadThresholdConfig } from '../policy/load-threshold-config.js';
import type { Problem } from '../sources/problem.js';
import type { WorkerId } from '../worker-id.js';
import type { BusySet } from './busy-set.js';
import type { Cleanup } from './cleanup.js';

/** One worker crossed: it became busy or free. */
export interface Transition {
  readonly workerId: WorkerId;
  readonly busy: boolean;
  /** When, in milliseconds of the clock that drives the reducer. */
  readonly at: number;
  /** Why, as it was then. It is worked out when it is first read. */
  readonly verdict: Verdict;
}

/**
 * What one event changed. An event that changed nothing makes no step.
 *
 * `busy`, `fleet` and `thresholds` are the present ones; they are the same objects as in the step before when
 * they did not change.
 */
export interface FleetStep {
  /** When, in milliseconds of the clock that drives the reducer. */
  readonly at: number;
  readonly busy: BusySet;
  readonly fleet: FleetCounts;
  readonly thresholds: LoadThresholdConfig;
  readonly transitions: readonly Transition[];
  readonly cleanups: readonly Cleanup[];
  readonly problems: readonly Problem[];
}
