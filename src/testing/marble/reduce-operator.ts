import { concatMap, map, share, type Observable } from 'rxjs';
import { busySets } from '../../core/busy-sets.js';
import { cleanups } from '../../core/cleanups.js';
import type { FleetEvent } from '../../core/fleet-event.js';
import { reduceFleet } from '../../core/reduce-fleet.js';
import { transitions } from '../../core/transitions.js';
import { fleetEventOf } from './fleet-event-of.js';
import type { MarbleOperator, MarbleOutputs } from './marble-operator.js';
import { fleetArguments, type PolicyLookup } from './model-operator.js';

/**
 * `reduceFleet({ policy, …start })`: the reducer and its selections over all inputs. Arguments, letters and outputs
 * are those of `model`, so that a file holds for both.
 */
export const reduceOperator = (lookup: PolicyLookup): MarbleOperator => ({
  read: fleetEventOf,
  build: (args, { merged$, scheduler }) => {
    const { policy, start } = fleetArguments(args, lookup);
    const steps$ = (merged$ as Observable<FleetEvent>).pipe(reduceFleet(policy, start, scheduler), share());
    return {
      busy: steps$.pipe(
        busySets(),
        map((busy) => [...busy]),
      ),
      transitions: steps$.pipe(
        transitions(),
        map(({ workerId, busy }) => ({ workerId, busy })),
      ),
      cleanups: steps$.pipe(cleanups()),
      problems: steps$.pipe(concatMap(({ problems }) => problems.map(({ code }) => code))),
    } satisfies MarbleOutputs;
  },
});
