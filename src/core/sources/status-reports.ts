import {
  groupBy,
  mergeMap,
  Observable,
  type OperatorFunction,
  pairwise,
  type SchedulerLike,
  startWith,
  Subscription,
} from 'rxjs';
import type { SourceStatus } from './source-status.js';

/** A status that is worth a line of output. */
export interface StatusReport extends SourceStatus {
  /** The number of failed attempts since the state began. */
  readonly attempts: number;
}

/** How many changes are reported at once, until a status stays the same for {@link SETTLED_MS}. */
const MAX_CHANGES = 5;
const SETTLED_MS = 10_000;
/** The intervals between the reports of a source that stays down. The last one repeats. */
const REPEAT_MS = [10_000, 30_000, 60_000] as const;
const LAST_REPEAT_MS = 300_000;

/**
 * Selects the statuses of sources that are worth a line of output, for each source on its own.
 *
 * 1. A new state or a new reason is reported at once. `connecting`, the state before the first attempt, is not new.
 * 2. A source that is not live and has nothing new is reported again after 10 s, 30 s and 1 min, and then every 5 min.
 * 3. A source that keeps changing is not reported for every change: after five changes without 10 s of rest in between,
 *    its latest status is reported at the intervals of rule 2, or as soon as it has stayed the same for 10 s.
 * 4. Its memory is one status for each source. It completes and errors with its source.
 *
 * ```
 *   status$  (down)(down)(down)(down)...        the same reason, every second
 *            statusReports(scheduler)
 *   reports  (down)--(down)------(down)---...   after 0, 10, 40, 100, 400, 700 s
 * ```
 */
export function statusReports(scheduler: SchedulerLike): OperatorFunction<SourceStatus, StatusReport> {
  return (status$) =>
    status$.pipe(
      groupBy(({ source }) => source),
      mergeMap((ofSource$) => reportsOfSource(ofSource$, scheduler)),
    );
}

function reportsOfSource(
  status$: Observable<SourceStatus>,
  scheduler: SchedulerLike,
): Observable<StatusReport> {
  return new Observable((subscriber) => {
    const reporter = new SourceReporter(scheduler, (report) => subscriber.next(report));
    const updates = status$.subscribe({
      next: (status) => reporter.update(status),
      error: (error: unknown) => subscriber.error(error),
      complete: () => subscriber.complete(),
    });
    return () => {
      updates.unsubscribe();
      reporter.timer.unsubscribe();
    };
  });
}

/** Emits each status of a list that the previous list did not contain, in the order of the list. */
export function newStatuses(): OperatorFunction<readonly SourceStatus[], SourceStatus> {
  return (lists$) =>
    lists$.pipe(
      startWith<readonly SourceStatus[]>([]),
      pairwise(),
      mergeMap(([before, now]) => now.filter((status) => !before.includes(status))),
    );
}

/** Decides when the status of one source is reported. */
class SourceReporter {
  readonly timer = new Subscription();
  private wake = new Subscription();
  private wakeAt = Infinity;
  private latest: StatusReport | null = null;
  private reported: Pick<SourceStatus, 'state' | 'why'> = { state: 'connecting' };
  private reportedAt: number;
  private changedAt = -Infinity;
  private changesLeft = MAX_CHANGES;
  private repeats = 0;

  constructor(
    private readonly scheduler: SchedulerLike,
    private readonly report: (report: StatusReport) => void,
  ) {
    this.reportedAt = scheduler.now();
  }

  update(status: SourceStatus): void {
    const { latest } = this;
    const before = latest?.state === status.state ? latest.attempts : 0;
    this.latest = { ...status, attempts: status.state === 'down' ? before + 1 : 0 };
    if (latest === null || !isSame(latest, status)) {
      const now = this.scheduler.now();
      if (now - this.changedAt >= SETTLED_MS) this.changesLeft = MAX_CHANGES;
      this.changedAt = now;
    }
    if (this.isNew(this.latest) && this.changesLeft > 0) {
      this.changesLeft -= 1;
      this.emit(this.latest, 0);
    }
    this.setTimer(this.latest);
  }

  private emit(report: StatusReport, repeats: number): void {
    this.reported = report;
    this.reportedAt = this.scheduler.now();
    this.repeats = repeats;
    this.report(report);
  }

  private isNew(latest: StatusReport): boolean {
    return !isSame(latest, this.reported);
  }

  private get repeatAt(): number {
    return this.reportedAt + (REPEAT_MS[this.repeats] ?? LAST_REPEAT_MS);
  }

  /** When the latest status is reported, if nothing changes. */
  private dueAt(latest: StatusReport): number {
    if (this.isNew(latest)) return Math.min(this.repeatAt, this.changedAt + SETTLED_MS);
    return latest.state === 'live' || latest.state === 'ended' ? Infinity : this.repeatAt;
  }

  /** A timer that is set stays set when its time moves back, so that a change costs no timer. */
  private setTimer(latest: StatusReport): void {
    const dueAt = this.dueAt(latest);
    if (dueAt >= this.wakeAt) return;
    this.timer.remove(this.wake);
    this.wake.unsubscribe();
    this.wakeAt = dueAt;
    this.wake = this.scheduler.schedule(() => this.onTimer(), dueAt - this.scheduler.now());
    this.timer.add(this.wake);
  }

  private onTimer(): void {
    this.wakeAt = Infinity;
    const { latest } = this;
    if (latest === null) return;
    const now = this.scheduler.now();
    if (now >= this.dueAt(latest)) this.emit(latest, now >= this.repeatAt ? this.repeats + 1 : 0);
    this.setTimer(latest);
  }
}

function isSame(a: Pick<SourceStatus, 'state' | 'why'>, b: Pick<SourceStatus, 'state' | 'why'>): boolean {
  return a.state === b.state && a.why === b.why;
}
