import { interval, merge, Observable, ReplaySubject, share, Subject, tap, type SchedulerLike } from 'rxjs';
import type { LoadReported } from '../../core/fleet-event.js';
import type { LoadBatch } from '../../core/load-batch.js';
import { packageProblems } from '../../core/package-problems.js';
import type { Problem } from '../../core/problem.js';
import type { SourceStatus } from '../../core/source-status.js';
import type { LoadReceiver } from './load-receiver.js';
import type { LoadReport } from './load-report.js';
import type { NatsAccess } from './nats-access.js';
import type { NatsLoads } from './nats-loads.js';
import { natsRun } from './nats-run.js';
import { subscribeAll } from './subscribe-all.js';

/** How often accounts and problems are told at most. */
const TELL_MS = 1_000;

/** One run of subscriptions, shared by four outputs. Loads go past everything that the others need. */
export function loadRun(
  access: NatsAccess,
  subjects: readonly string[],
  receiver: LoadReceiver,
  scheduler: SchedulerLike,
): NatsLoads<LoadReported | LoadBatch> {
  const { accounting } = receiver;
  const reports$ = new ReplaySubject<LoadReport>(1);
  const problems$ = new Subject<Problem>();
  let attached = false;
  let detachedSince: number | null = null;
  let toldVersion = accounting.version;

  const note = ({ state }: SourceStatus): void => {
    if (state !== 'live' && attached) detachedSince ??= scheduler.now();
  };
  /** Comes before the first message of a connection. */
  const attach = (): void => {
    if (detachedSince !== null) accounting.detached(detachedSince, scheduler.now());
    detachedSince = null;
    attached = true;
  };
  const tell = (): void => {
    if (accounting.version === toldVersion) return;
    toldVersion = accounting.version;
    reports$.next({ account: accounting.snapshot(), gaps: accounting.takeGaps() });
    accounting.nextInterval();
    for (const problem of receiver.takeProblems()) problems$.next(problem);
  };
  const statuses$ = natsRun(access, 'loads', (link) => {
    attach();
    return subscribeAll(link, subjects, receiver.take);
  });
  const run$ = new Observable<SourceStatus>((subscriber) => {
    const run = statuses$.pipe(tap({ next: note, complete: tell })).subscribe(subscriber);
    run.add(
      interval(TELL_MS, scheduler).subscribe({
        next: tell,
        error: (error: unknown) => subscriber.error(error),
      }),
    );
    run.add(() => {
      tell();
      if (attached) detachedSince ??= scheduler.now();
    });
    return run;
  });
  const status$ = run$.pipe(share({ connector: () => new ReplaySubject(1) }));

  return {
    loads$: beside(receiver.loads$, status$),
    accounting$: beside(reports$, status$),
    problems$: merge(beside(problems$, status$), packageProblems(status$, 'loads')),
    status$,
  };
}

/** What comes beside a run that has to go on for it, and ends with it. */
function beside<T>(values$: Observable<T>, run$: Observable<unknown>): Observable<T> {
  return new Observable((subscriber) => {
    const values = values$.subscribe(subscriber);
    values.add(
      run$.subscribe({
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      }),
    );
    return values;
  });
}
