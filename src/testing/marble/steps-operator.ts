import { map, type Observable } from 'rxjs';
import type { FleetEvent } from '../../core/fleet-event.js';
import { reduceFleet } from '../../core/reduce-fleet.js';
import { fleetEventOf } from './fleet-event-of.js';
import type { MarbleOperator } from './marble-operator.js';
import { fleetArguments, type PolicyLookup } from './model-operator.js';

/**
 * `steps({ policy, …start })`: the steps themselves that the reducer makes, for the operators that stand below it.
 * Arguments and letters are those of `reduceFleet`. In a row a step is its time and its busy workers.
 */
export const stepsOperator = (lookup: PolicyLookup): MarbleOperator => ({
  read: fleetEventOf,
  build: (args, { scheduler }) => {
    const { policy, start } = fleetArguments(args, lookup);
    return (events$: Observable<FleetEvent>) =>
      events$.pipe(
        reduceFleet(policy, start, scheduler),
        map((step) => ({ ...step, toJSON: () => ({ at: step.at, busy: [...step.busy] }) })),
      );
  },
});
