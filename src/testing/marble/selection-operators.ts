import { map, type Observable, type OperatorFunction } from 'rxjs';
import { busySets } from '../../core/busy-sets.js';
import { cleanups } from '../../core/cleanups.js';
import type { FleetStep } from '../../core/fleet-step.js';
import { transitions } from '../../core/transitions.js';
import type { MarbleOperator, MarbleOperators } from './marble-operator.js';

/**
 * `busySets()`, `transitions()` and `cleanups()`, which stand below `steps`. In a row a busy set is its workers, and a
 * transition `{workerId, busy}`.
 */
export const selectionOperators = {
  busySets: selection('busySets', (steps$) =>
    steps$.pipe(
      busySets(),
      map((busy) => [...busy]),
    ),
  ),
  transitions: selection('transitions', (steps$) =>
    steps$.pipe(
      transitions(),
      map(({ workerId, busy }) => ({ workerId, busy })),
    ),
  ),
  cleanups: selection('cleanups', (steps$) => steps$.pipe(cleanups())),
} satisfies MarbleOperators;

function selection(
  name: string,
  select: (steps$: Observable<FleetStep>) => Observable<unknown>,
): MarbleOperator {
  const operator: OperatorFunction<FleetStep, unknown> = select;
  return {
    read: () => {
      throw new Error(`${name} takes steps, which no letter can say; write "> steps({…})" above it`);
    },
    build: (args) => {
      if (args.length > 0) throw new Error('it takes no arguments');
      return operator;
    },
  };
}
