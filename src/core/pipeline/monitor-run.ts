import { type SchedulerLike, Subscription } from 'rxjs';
import type { FleetEvent } from '../events/fleet-event.js';
import { type LoadBatch, batchEvents } from '../events/load-batch.js';
import type { FleetCounts } from '../judgement/fleet-state.js';
import type { Problem } from '../sources/problem.js';
import { type SourceStatus, withStatus } from '../sources/source-status.js';
import type { BusySet } from '../state/busy-set.js';
import type { Cleanup } from '../state/cleanup.js';
import { FleetLoad } from '../state/fleet-load.js';
import type { FleetStep, Transition } from '../state/fleet-step.js';
import type { WorkerId } from '../worker-id.js';
import type { MonitorOptions, MonitorSources } from './monitor-sources.js';
import { Outputs } from './outputs.js';
import { sourceEvents } from './source-events.js';

/** Ends overload marks when their time is over. Marking a worker again restarts its timer. */
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

/** What the outputs of a monitor emit. */
export interface MonitorOutputValues {
  readonly steps: FleetStep;
  readonly busy: BusySet;
  readonly transitions: Transition;
  readonly fleet: FleetCounts;
  readonly cleanups: Cleanup;
  readonly problems: Problem;
  readonly status: readonly SourceStatus[];
}

export type MonitorOutputs = Outputs<MonitorOutputValues>;

/** The outputs of one run, in the order in which they emit and complete. */
export function monitorOutputs(): MonitorOutputs {
  return new Outputs(['steps', 'busy', 'transitions', 'fleet', 'cleanups', 'problems', 'status']);
}

/**
 * One run of a monitor: its state, its queue of events, its subscriptions. An event that a subscriber causes while
 * the outputs of another event emit waits until all of them have emitted.
 */
export class MonitorRun {
  readonly fleet: FleetLoad;
  readonly subscription = new Subscription();
  private waiting: FleetEvent[] = [];
  private delivering = false;
  private open = 0;
  private finishing = false;
  private finished = false;
  private readonly timers: OverloadMarkTimers | undefined;

  constructor(
    private readonly sources: MonitorSources,
    options: MonitorOptions,
    private readonly scheduler: SchedulerLike,
    private readonly outputs: MonitorOutputs,
    private readonly ended: () => void,
  ) {
    const { policy } = options;
    const { role, ...start } = options.start ?? {};
    this.fleet = new FleetLoad(policy, {
      ...start,
      ...(role && { source: role }),
      cards: sources.configs !== undefined,
      ...(sources.decodeInstances && { decodeInstances: [] }),
    });
    const { overloadMarks } = policy;
    if (overloadMarks !== 'ignored' && overloadMarks.maximumMs !== null) {
      this.timers = new OverloadMarkTimers(overloadMarks.maximumMs, scheduler, (workerId) =>
        this.take({ kind: 'markExpired', workerId }),
      );
    }
    this.subscription.add(() => this.finish());
  }

  /** Emits the initial values and subscribes to the sources, in their order. */
  connect(): void {
    this.emitInitial();
    this.open = 1;
    for (const status$ of this.sources.status ?? []) {
      this.subscription.add(
        status$.subscribe({
          next: (status) => this.emitStatus(status),
          error: (error: unknown) => this.emitStatus(this.statusOf('status', 'ended', String(error))),
        }),
      );
    }
    for (const { name, events$, failed, ended } of sourceEvents(this.sources)) {
      if (this.finishing) return;
      this.open += 1;
      // The events of an error and of the end are made here: as operators they would slow down every load.
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

  /** Stops the run after the events that wait already: the policy's cleanup, then the completion of all outputs. */
  stop(): void {
    this.take({ kind: 'stop' });
  }

  private take(event: FleetEvent): void {
    if (this.finishing) return;
    this.waiting.push(event);
    if (!this.delivering) this.deliverWaiting();
  }

  /** Applies the rows of a batch in order. A batch that has to wait is copied, since its columns are valid only now. */
  private takeBatch(batch: LoadBatch): void {
    if (this.delivering) {
      for (const event of batchEvents(batch)) this.take(event);
      return;
    }
    for (let row = 0; row < batch.count && !this.finishing; row += 1) {
      const step = this.fleet.applyRow(batch, row, this.scheduler);
      if (step === null) continue;
      this.delivering = true;
      this.emitStep(step);
      this.deliverWaiting();
    }
  }

  /** Applies the events that wait, and those that they cause, in order. */
  private deliverWaiting(): void {
    this.delivering = true;
    while (this.waiting.length > 0 && !this.finishing) {
      const events = this.waiting;
      this.waiting = [];
      for (const event of events) {
        if (this.finishing) break;
        if (event.kind === 'marked') this.timers?.arm(event.workerId);
        const step = this.fleet.apply(event, this.scheduler.now());
        if (step !== null) this.emitStep(step);
      }
    }
    this.delivering = false;
    if (this.finishing || this.fleet.ended) this.finish();
  }

  /** Applies an event of a source. An end is a status first, since the policy may end the monitor because of it. */
  private takeOf(name: string, event: FleetEvent): void {
    if (this.finished) return;
    const isEnd =
      event.kind === 'loadStreamEnded' || event.kind === 'configsEnded' || event.kind === 'instancesEnded';
    if (isEnd && name !== 'events') this.emitStatus(this.statusOf(name, 'ended', 'its last value is kept'));
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

  private emitInitial(): void {
    const { busy, fleet } = this.fleet;
    const status: readonly SourceStatus[] = [];
    this.outputs.keep({ busy, fleet, status });
    this.outputs.next('busy', busy);
    this.outputs.next('fleet', fleet);
    this.outputs.next('status', status);
  }

  /** Emits everything that one event changed, in the fixed order of the outputs. */
  private emitStep(step: FleetStep): void {
    const { outputs } = this;
    outputs.next('steps', step);
    if (step.busy !== outputs.last('busy')) {
      outputs.keep({ busy: step.busy });
      outputs.next('busy', step.busy);
    }
    for (const transition of step.transitions) outputs.next('transitions', transition);
    if (step.fleet !== outputs.last('fleet')) {
      outputs.keep({ fleet: step.fleet });
      outputs.next('fleet', step.fleet);
    }
    for (const cleanup of step.cleanups) outputs.next('cleanups', cleanup);
    for (const problem of step.problems) outputs.next('problems', problem);
  }

  private emitStatus(changed: SourceStatus): void {
    const status = withStatus(this.outputs.last('status') ?? [], changed, this.scheduler.now());
    this.outputs.keep({ status });
    this.outputs.next('status', status);
  }

  /** Ends the run. While outputs emit, it ends after them, so that every subscriber sees the whole step. */
  private finish(): void {
    this.finishing = true;
    if (this.finished || this.delivering) return;
    this.finished = true;
    this.timers?.stop();
    this.subscription.unsubscribe();
    // A subscriber that connects again when the outputs complete starts a new run.
    this.ended();
    this.outputs.complete();
  }
}
