import type { FleetCounts } from '../judgement/fleet-state.js';
import type { Verdict } from '../judgement/verdict.js';
import type { WorkerState } from '../judgement/worker-state.js';
import type { LoadThresholdConfig } from '../policy/load-threshold-config.js';
import type { Problem } from '../sources/problem.js';
import type { WorkerId } from '../worker-id.js';
import type { BusySet } from './busy-set.js';
import type { Cleanup } from './cleanup.js';

/**
 * The state of a worker changed. Under policies for which free needs no evidence, it became busy or free; otherwise it may
 * also be, or have been, unknown. A worker that leaves becomes what it is without evidence, for the reason `left`.
 */
export interface Transition {
  readonly workerId: WorkerId;
  /** The state before. */
  readonly from: WorkerState;
  /** The state now. */
  readonly to: WorkerState;
  /** Whether it is busy now: the same as `to === 'busy'`. */
  readonly busy: boolean;
  /** When it happened, in milliseconds of the clock that drives the reducer. */
  readonly at: number;
  /** Why, with the values of that moment. It is computed when it is first read. */
  readonly verdict: Verdict;
}

/**
 * What one event changed. An event that changes nothing makes no step.
 *
 * `busy`, `fleet` and `thresholds` are the current ones. They are the same objects as in the step before unless they
 * changed.
 */
export interface FleetStep {
  /** When it happened, in milliseconds of the clock that drives the reducer. */
  readonly at: number;
  readonly busy: BusySet;
  readonly fleet: FleetCounts;
  readonly thresholds: LoadThresholdConfig;
  readonly transitions: readonly Transition[];
  readonly cleanups: readonly Cleanup[];
  readonly problems: readonly Problem[];
}
