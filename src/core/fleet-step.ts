import type { BusySet } from './busy-set.js';
import type { Cleanup } from './cleanup.js';
import type { FleetCounts } from './fleet-counts.js';
import type { LoadThresholdConfig } from './load-threshold-config.js';
import type { Problem } from './problem.js';
import type { Transition } from './transition.js';

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
