import {
  NEVER,
  type Observable,
  type OperatorFunction,
  type SchedulerLike,
  Subject,
  defer,
  filter,
  finalize,
  merge,
  of,
  scan,
  takeWhile,
} from 'rxjs';
import { trampoline } from '../../operators/trampoline.js';
import type { FleetEvent, FleetStart } from '../events/fleet-event.js';
import { type LoadBatch, batchEvents } from '../events/load-batch.js';
import type { LoadPolicy } from '../policy/load-policy.js';
import type { OrderedStatus } from '../sources/source-status.js';
import { FleetLoad } from '../state/fleet-load.js';
import type { FleetStep } from '../state/fleet-step.js';
import { OverloadMarkTimers } from './overload-mark-timers.js';

/** What the reducer takes: an event, or a batch of loads that is valid during the call. */
export type FleetInput = FleetEvent | LoadBatch;

/** What an input made: a step, or the status of a source, which the fold only keeps in order; and the state after it. */
export interface FoldedFleet {
  readonly fleet: FleetLoad;
  readonly made: FleetStep | OrderedStatus;
}

/** The state after an input, and what the input made; `null` if it changed nothing. */
interface Folding {
  readonly fleet: FleetLoad;
  made: FleetStep | OrderedStatus | null;
}

function hasMade(folding: Folding): folding is Folding & FoldedFleet {
  return folding.made !== null;
}

/** Whether an input made a step. */
export function isStep(made: FoldedFleet['made']): made is FleetStep {
  return 'transitions' in made;
}

/** Asks for the first step. */
const START = { kind: 'start' } as const;

/**
 * The fold of a pool: a `scan` of inputs over one {@link FleetLoad}, which only this `scan` changes.
 *
 * 1. Every subscription has its own state. The first step is made on subscription, before the source is subscribed to.
 * 2. For each step it emits the same object, with that step, and for each status of `caused$` with that status. The rows of a batch are taken up to the next step, so that what
 *    a step causes comes before the rows after it, and rows without a step cost no emission.
 * 3. Inputs that are caused while it emits wait, and so do `caused$` and the ends of overload marks.
 * 4. It completes when its source has completed, or when an input ends the state.
 */
export function foldFleet(
  policy: LoadPolicy,
  start: FleetStart,
  scheduler: SchedulerLike,
  caused$: Observable<FleetEvent | OrderedStatus> = NEVER,
): OperatorFunction<FleetInput, FoldedFleet> {
  return (inputs$) =>
    defer(() => {
      const fleet = new FleetLoad(policy, start);
      const folding: Folding = { fleet, made: null };
      const expired$ = new Subject<FleetEvent>();
      const timers = new OverloadMarkTimers(policy, scheduler, (workerId) =>
        expired$.next({ kind: 'markExpired', workerId }),
      );
      /** The next row of a batch whose last row made no step yet. */
      let nextRow = 0;

      const applyRows = (batch: LoadBatch): FleetStep | null => {
        const { count } = batch;
        let step: FleetStep | null = null;
        while (step === null && nextRow < count) step = fleet.applyRow(batch, nextRow++, scheduler);
        if (nextRow >= count) nextRow = 0;
        return step;
      };
      const apply = (event: FleetEvent): FleetStep | null => {
        if (event.kind === 'marked') timers.arm(event.workerId);
        return fleet.apply(event, scheduler.now());
      };

      return inputs$.pipe(
        trampoline<FleetInput | OrderedStatus | typeof START>({
          hasMore: () => nextRow > 0,
          whileWaiting: (input) => (input.kind === 'batch' ? batchEvents(input) : [input]),
          // Subscribed to before the inputs, so the first step comes first.
          fedBack$: merge(caused$, expired$, of(START)),
        }),
        scan((state, input) => {
          if (input.kind === 'batch') state.made = applyRows(input);
          else if (input.kind === 'start') state.made = fleet.firstStep(scheduler.now());
          else state.made = input.kind === 'status' ? input : apply(input);
          return state;
        }, folding),
        filter((state) => state.made !== null || state.fleet.ended),
        takeWhile((state) => !state.fleet.ended, true),
        filter(hasMade),
        finalize(() => timers.stop()),
      );
    });
}
