import type { FleetEvent, FleetStart } from '../core/fleet-event.js';
import { FleetLoad } from '../core/fleet-load/fleet-load.js';
import type { FleetStep } from '../core/fleet-step.js';
import type { LoadPolicy } from '../core/load-policy.js';
import type { LoadThresholds } from '../core/load-thresholds.js';
import type { WorkerId } from '../core/worker-id.js';
import { firstStep, step } from './model.js';

/** What one event brought about. */
export type Played = Pick<FleetStep, 'transitions' | 'cleanups' | 'problems'>;

/** Nothing was brought about. */
export const nothingPlayed: Played = { transitions: [], cleanups: [], problems: [] };

/** One of the two that decide: the fast state, or the model, which is the meaning. */
export interface Player {
  apply(event: FleetEvent, at: number): Played;
  busy(): readonly WorkerId[];
  thresholds(): LoadThresholds;
}

/** The players by name. */
export const players = {
  fast: (policy: LoadPolicy, start: FleetStart): Player => {
    const fleet = new FleetLoad(policy, start);
    return {
      apply: (event, at) => fleet.apply(event, at) ?? nothingPlayed,
      busy: () => [...fleet.busy],
      thresholds: () => fleet.thresholds,
    };
  },
  model: (policy: LoadPolicy, start: FleetStart): Player => {
    let last = firstStep(policy, start);
    return {
      apply: (event, at) => (last = step(last.state, event, at)),
      busy: () => [...last.state.busy.keys()],
      thresholds: () => last.state.thresholds,
    };
  },
} as const;

/** The name of a player. */
export type PlayerName = keyof typeof players;
