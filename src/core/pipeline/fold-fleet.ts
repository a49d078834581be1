import {
  NEVER,
  type Observable,
  type OperatorFunction,
  type SchedulerLike,
  Subject,
  defer,
  finalize,
  merge,
  scan,
  startWith,
  takeUntil,
  takeWhile,
} from 'rxjs';
import { trampoline } from '../../operators/trampoline.js';
import type { FleetEvent, FleetStart } from '../events/fleet-event.js';
import { type LoadBatch, batchEvents } from '../events/load-batch.js';
import type { LoadPolicy } from '../policy/load-policy.js';
import { FleetLoad } from '../state/fleet-load.js';
import type { FleetStep } from '../state/fleet-step.js';
import { OverloadMarkTimers } from './overload-mark-timers.js';

/** What the reducer takes: an event, or a batch of loads that is valid during the call. */
export type FleetInput = FleetEvent | LoadBatch;

/** The state after an input, and the step that the input made; `null` if it changed nothing. */
export interface FoldedFleet {
  readonly fleet: FleetLoad;
  readonly step: FleetStep | null;
}

/** Asks for the first step. */
const START = { kind: 'start' } as const;

/**
 * The fold of a pool: a `scan` of inputs over one {@link FleetLoad}, which only this `scan` changes.
 *
 * 1. Every subscription has its own state. The first step is made on subscription, before the source is subscribed to.
 * 2. It emits the same object for every input. A batch is emitted once for each row that made a step, so that what a step
 *    causes comes before the rows after it; rows without a step cost no emission.
 * 3. Inputs that are caused while it emits wait, and so do `caused$` and the ends of overload marks.
 * 4. It completes when its source has completed, or when an input ends the state.
 */
export function foldFleet(
  policy: LoadPolicy,
  start: FleetStart,
  scheduler: SchedulerLike,
  caused$: Observable<FleetEvent> = NEVER,
): OperatorFunction<FleetInput, FoldedFleet> {
  return (inputs$) =>
    defer(() => {
      const fleet = new FleetLoad(policy, start);
      const folded: { readonly fleet: FleetLoad; step: FleetStep | null } = { fleet, step: null };
      const expired$ = new Subject<FleetEvent>();
      const timers = new OverloadMarkTimers(policy, scheduler, (workerId) =>
        expired$.next({ kind: 'markExpired', workerId }),
      );
      const ended$ = new Subject<void>();
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

      return merge(
        merge(caused$, expired$).pipe(takeUntil(ended$)),
        inputs$.pipe(
          startWith(START),
          finalize(() => {
            timers.stop();
            ended$.next();
          }),
        ),
      ).pipe(
        trampoline<FleetInput | typeof START>({
          hasMore: () => nextRow > 0,
          whileWaiting: (input) => ('count' in input ? batchEvents(input) : [input]),
        }),
        scan((state, input) => {
          if ('count' in input) state.step = applyRows(input);
          else state.step = input.kind === 'start' ? fleet.firstStep(scheduler.now()) : apply(input);
          return state;
        }, folded),
        takeWhile((state) => !state.fleet.ended, true),
      );
    });
}
