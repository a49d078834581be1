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
  readonly steps$ = new Subject<FleetStep>();
  readonly busy$ = new Subject<BusySet>();
  readonly transitions$ = new Subject<Transition>();
  readonly fleet$ = new Subject<FleetCounts>();
  readonly cleanups$ = new Subject<Cleanup>();
  readonly problems$ = new Subject<Problem>();
  readonly status$ = new Subject<readonly SourceStatus[]>();
  /** What the outputs with a present value last said; `undefined` before a run. */
  busy: BusySet | undefined;
  fleet: FleetCounts | undefined;
  status: readonly SourceStatus[] | undefined;

  /** The beginning of a run: what is there before the first event. */
  begin(busy: BusySet, fleet: FleetCounts): void {
    this.busy = busy;
    this.fleet = fleet;
    this.status = [];
    this.busy$.next(busy);
    this.fleet$.next(fleet);
    this.status$.next(this.status);
  }

  /** All outputs of one step, before anything else happens. */
  step(step: FleetStep): void {
    const { busy, fleet } = this;
    this.busy = step.busy;
    this.fleet = step.fleet;
    this.steps$.next(step);
    if (step.busy !== busy) this.busy$.next(step.busy);
    for (const transition of step.transitions) this.transitions$.next(transition);
    if (step.fleet !== fleet) this.fleet$.next(step.fleet);
    for (const cleanup of step.cleanups) this.cleanups$.next(cleanup);
    for (const problem of step.problems) this.problems$.next(problem);
  }

  /** One source is otherwise than before. */
  setStatus(one: SourceStatus): void {
    const others = (this.status ?? []).filter(({ source }) => source !== one.source);
    this.status = [...others, one];
    this.status$.next(this.status);
  }

  /** The end of all outputs. */
  complete(): void {
    this.busy = undefined;
    this.fleet = undefined;
    this.status = undefined;
    this.steps$.complete();
    this.busy$.complete();
    this.transitions$.complete();
    this.fleet$.complete();
    this.cleanups$.complete();
    this.problems$.complete();
    this.status$.complete();
  }
}
