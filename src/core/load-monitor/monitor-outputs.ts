import { Subject } from 'rxjs';
import type { BusySet } from '../busy-set.js';
import type { Cleanup } from '../cleanup.js';
import type { FleetCounts } from '../fleet-counts.js';
import type { FleetStep } from '../fleet-step.js';
import type { Problem } from '../problem.js';
import type { SourceStatus } from '../source-status.js';
import type { Transition } from '../transition.js';

/** The outputs of one run, a subject for each, fed in one fixed order. */
export class MonitorOutputs {
  private readonly subjects = {
    steps$: new Subject<FleetStep>(),
    busy$: new Subject<BusySet>(),
    transitions$: new Subject<Transition>(),
    fleet$: new Subject<FleetCounts>(),
    cleanups$: new Subject<Cleanup>(),
    problems$: new Subject<Problem>(),
    status$: new Subject<readonly SourceStatus[]>(),
  };
  readonly steps$ = this.subjects.steps$.asObservable();
  readonly busy$ = this.subjects.busy$.asObservable();
  readonly transitions$ = this.subjects.transitions$.asObservable();
  readonly fleet$ = this.subjects.fleet$.asObservable();
  readonly cleanups$ = this.subjects.cleanups$.asObservable();
  readonly problems$ = this.subjects.problems$.asObservable();
  readonly status$ = this.subjects.status$.asObservable();
  /** What the outputs with a present value said last, so that who joins meanwhile hears it once; `undefined` before a run. */
  busy: BusySet | undefined;
  fleet: FleetCounts | undefined;
  status: readonly SourceStatus[] | undefined;

  /** The beginning of a run: what is there before the first event. */
  begin(busy: BusySet, fleet: FleetCounts): void {
    this.busy = busy;
    this.fleet = fleet;
    this.status = [];
    this.subjects.busy$.next(busy);
    this.subjects.fleet$.next(fleet);
    this.subjects.status$.next(this.status);
  }

  /** All outputs of one step, before anything else happens. */
  step(step: FleetStep): void {
    this.subjects.steps$.next(step);
    if (step.busy !== this.busy) {
      this.busy = step.busy;
      this.subjects.busy$.next(step.busy);
    }
    for (const transition of step.transitions) this.subjects.transitions$.next(transition);
    if (step.fleet !== this.fleet) {
      this.fleet = step.fleet;
      this.subjects.fleet$.next(step.fleet);
    }
    for (const cleanup of step.cleanups) this.subjects.cleanups$.next(cleanup);
    for (const problem of step.problems) this.subjects.problems$.next(problem);
  }

  /** One source is otherwise than before. */
  setStatus(one: SourceStatus): void {
    const others = (this.status ?? []).filter(({ source }) => source !== one.source);
    this.status = [...others, one];
    this.subjects.status$.next(this.status);
  }

  /** The end of all outputs. */
  complete(): void {
    this.busy = undefined;
    this.fleet = undefined;
    this.status = undefined;
    // In the order of the outputs themselves.
    for (const subject$ of Object.values(this.subjects)) subject$.complete();
  }
}
