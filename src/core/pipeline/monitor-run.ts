import { type SchedulerLike, Subject, Subscription } from 'rxjs';
import type { FleetEvent } from '../events/fleet-event.js';
import type { LoadBatch } from '../events/load-batch.js';
import type { FleetCounts } from '../judgement/fleet-state.js';
import type { Problem } from '../sources/problem.js';
import type { SourceStatus } from '../sources/source-status.js';
import type { BusySet } from '../state/busy-set.js';
import type { Cleanup } from '../state/cleanup.js';
import { FleetLoad } from '../state/fleet-load.js';
import type { FleetStep, Transition } from '../state/fleet-step.js';
import type { WorkerId } from '../worker-id.js';
import type { MonitorOptions, MonitorSources } from './monitor-sources.js';
import { batchEvents, sourceEvents } from './source-events.js';

/** Ends the request path's marks when their time is over; marking again arms the timer anew. */
export class OverloadMarkTimers {
  private readonly timers = new Map<WorkerId, Subscription>();

  constructor(
    private readonly maximumMs: number,
    private readonly scheduler: SchedulerLike,
    private readonly expire: (workerId: WorkerId) => void,
  ) {}

  arm(workerId: WorkerId): void {
    this.timers.get(workerId)?.unsubscribe();
    const timer = this.scheduler.schedule(() => {
      this.timers.delete(workerId);
      this.expire(workerId);
    }, this.maximumMs);
    this.timers.set(workerId, timer);
  }

  stop(): void {
    for (const timer of this.timers.values()) timer.unsubscribe();
    this.timers.clear();
  }
}

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

/**
 * One run of a monitor: its state, its queue of events, its subscriptions. An event that a subscriber causes while
 * the outputs of another are under way waits for all of them.
 */
export class MonitorRun {
  readonly fleet: FleetLoad;
  readonly subscription = new Subscription();
  private waiting: FleetEvent[] = [];
  private delivering = false;
  private open = 0;
  private over = false;
  private finishing = false;
  private readonly timers: OverloadMarkTimers | undefined;

  constructor(
    private readonly sources: MonitorSources,
    options: MonitorOptions,
    private readonly scheduler: SchedulerLike,
    private readonly outputs: MonitorOutputs,
    private readonly ended: () => void,
  ) {
    const { policy } = options;
    this.fleet = new FleetLoad(policy, {
      ...options.start,
      cards: sources.configs !== undefined,
      ...(sources.decodeInstances && { decodeInstances: [] }),
    });
    const marks = policy.overloadMarks;
    if (marks !== 'ignored' && marks.maximumMs !== null) {
      this.timers = new OverloadMarkTimers(marks.maximumMs, scheduler, (workerId) =>
        this.take({ kind: 'markExpired', workerId }),
      );
    }
    this.subscription.add(() => this.finish());
  }

  /** Hands out the beginning and subscribes to the sources, in their order. */
  connect(): void {
    this.outputs.begin(this.fleet.busy, this.fleet.fleet);
    this.open = 1;
    for (const status$ of this.sources.status ?? []) {
      this.subscription.add(
        status$.subscribe({
          next: (status) => this.outputs.setStatus(status),
          error: (error: unknown) => this.outputs.setStatus(this.statusOf('status', 'ended', String(error))),
        }),
      );
    }
    for (const { name, events$, failed, ended } of sourceEvents(this.sources)) {
      if (this.finishing) return;
      this.open += 1;
      // The last words are told here: as operators they would cost every load.
      const end = (): void => {
        if (ended !== null) this.takeOf(name, ended);
        this.closeOne();
      };
      this.subscription.add(
        events$.subscribe({
          next: (event) => ('count' in event ? this.takeBatch(event) : this.takeOf(name, event)),
          error: (error: unknown) => {
            this.takeOf(name, failed(error));
            end();
          },
          complete: end,
        }),
      );
    }
    this.closeOne();
  }

  /** Stops the run: the policy's cleanup, then the end of all outputs, behind everything that waits already. */
  stop(): void {
    this.take({ kind: 'stop' });
  }

  private take(event: FleetEvent): void {
    if (this.finishing) return;
    this.waiting.push(event);
    if (!this.delivering) this.deliverWaiting();
  }

  /** The rows of a batch, one after the other. While others are delivered its columns would not wait: it is copied. */
  private takeBatch(batch: LoadBatch): void {
    if (this.delivering) {
      for (const event of batchEvents(batch)) this.take(event);
      return;
    }
    for (let row = 0; row < batch.count && !this.finishing; row += 1) {
      const step = this.fleet.applyRow(batch, row, this.scheduler);
      if (step === null) continue;
      this.delivering = true;
      this.outputs.step(step);
      this.deliverWaiting();
    }
  }

  /** Everything that waits, and what that brings about, in order. */
  private deliverWaiting(): void {
    this.delivering = true;
    while (this.waiting.length > 0 && !this.finishing) {
      const events = this.waiting;
      this.waiting = [];
      for (const event of events) {
        if (this.finishing) break;
        if (event.kind === 'marked') this.timers?.arm(event.workerId);
        const step = this.fleet.apply(event, this.scheduler.now());
        if (step !== null) this.outputs.step(step);
      }
    }
    this.delivering = false;
    if (this.finishing || this.fleet.ended) this.finish();
  }

  /** An event of a source. Its end is a status first, since the policy may end the monitor by it. */
  private takeOf(name: string, event: FleetEvent): void {
    if (this.over) return;
    const isEnd =
      event.kind === 'loadStreamEnded' || event.kind === 'configsEnded' || event.kind === 'instancesEnded';
    if (isEnd && name !== 'events')
      this.outputs.setStatus(this.statusOf(name, 'ended', 'its last word stays'));
    this.take(event);
  }

  private closeOne(): void {
    if (this.finishing) return;
    this.open -= 1;
    if (this.open === 0) this.finish();
  }

  private statusOf(source: string, state: SourceStatus['state'], why: string): SourceStatus {
    return { source, state, since: this.scheduler.now(), why };
  }

  /** Ends the run; while outputs are under way, after them, so that no subscriber misses a part of a step. */
  private finish(): void {
    this.finishing = true;
    if (this.over || this.delivering) return;
    this.over = true;
    this.timers?.stop();
    this.subscription.unsubscribe();
    // Whoever connects again when the outputs complete begins a new run.
    this.ended();
    this.outputs.complete();
  }
}
