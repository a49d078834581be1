import { Observable, ReplaySubject, type SchedulerLike, Subject, interval, merge, share, tap } from 'rxjs';
import type { LoadReceived } from '../../core/events/fleet-event.js';
import type { LoadBatch } from '../../core/events/load-batch.js';
import { type PolicyName, policies } from '../../core/policy/policies.js';
import type { Problem } from '../../core/sources/problem.js';
import { type SourceStatus, packageProblems } from '../../core/sources/source-status.js';
import { type EndpointLike, parseEndpoint } from '../../wire/endpoint-names.js';
import { monotonicScheduler } from '../clock/monotonic-scheduler.js';
import { type AccountingReport, type LoadForm, LoadReceiver } from './load-receiver.js';
import { loadSubjects } from './load-subjects.js';
import { subscribeAll } from './nats-link.js';
import type { NatsConnectionOptions } from './nats-options.js';
import { runNats } from './nats-run.js';

/** How often accounts and problems are told at most. */
const REPORT_MS = 1_000;

/** One run of subscriptions, shared by four outputs. Loads go past everything that the others need. */
export function runLoads(
  access: NatsConnectionOptions,
  subjects: readonly string[],
  receiver: LoadReceiver,
  scheduler: SchedulerLike,
): NatsLoads<LoadReceived | LoadBatch> {
  const { accounting } = receiver;
  const reports$ = new ReplaySubject<AccountingReport>(1);
  const problems$ = new Subject<Problem>();
  let attached = false;
  let detachedSince: number | null = null;
  let reportedVersion = accounting.version;

  const note = ({ state }: SourceStatus): void => {
    if (state !== 'live' && attached) detachedSince ??= scheduler.now();
  };
  /** Comes before the first message of a connection. */
  const attach = (): void => {
    if (detachedSince !== null) accounting.recordDetached(detachedSince, scheduler.now());
    detachedSince = null;
    attached = true;
  };
  const report = (): void => {
    if (accounting.version === reportedVersion) return;
    reportedVersion = accounting.version;
    reports$.next({ account: accounting.snapshot(), gaps: accounting.takeGaps() });
    accounting.nextInterval();
    for (const problem of receiver.takeProblems()) problems$.next(problem);
  };
  const statuses$ = runNats(access, 'loads', (link) => {
    attach();
    return subscribeAll(link, subjects, receiver.take);
  });
  const run$ = new Observable<SourceStatus>((subscriber) => {
    const run = statuses$.pipe(tap({ next: note, complete: report })).subscribe(subscriber);
    run.add(
      interval(REPORT_MS, scheduler).subscribe({
        next: report,
        error: (error: unknown) => subscriber.error(error),
      }),
    );
    run.add(() => {
      report();
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

/** A release whose messages are wanted. */
export type LoadRelease = '0.8' | '1.0' | '1.1' | '1.4' | '1.6';

/** Whose loads to take, and how. */
export type NatsLoadsOptions = NatsConnectionOptions & {
  /** Absent: every namespace. */
  readonly namespace?: string;
  /** Absent: every endpoint. Messages of releases up to 1.3 do not say which endpoint they are of, and all come. */
  readonly endpoint?: EndpointLike;
  /** Only what this release publishes, and as it decodes it. Absent: all. */
  readonly release?: LoadRelease;
  /** `objects` when absent. */
  readonly form?: LoadForm;
};

/** What {@link natsLoads} returns. */
export interface NatsLoads<Load> {
  readonly loads$: Observable<Load>;
  readonly accounting$: Observable<AccountingReport>;
  readonly problems$: Observable<Problem>;
  readonly status$: Observable<SourceStatus>;
}

/**
 * The loads of a Dynamo fleet, of any release (0.4 to 1.6) and of several at once, as its workers and routers publish
 * them on NATS.
 *
 * 1. `loads$` gives each load as it comes, late subscribers only what comes. In `columns` it gives a {@link LoadBatch}
 *    for what the client read at once, valid during the call only: the fast form, without an object for each load.
 * 2. NATS keeps nothing for who is away. `accounting$` says what that cost: messages, bytes and failures in numbers,
 *    and every gap in the numbers of a publisher, with whether the connection was away then. It tells at most once a
 *    second, and only when something changed, and the last word before it completes; a late subscriber gets the
 *    present account. Who unsubscribes has heard what was told until then.
 * 3. `problems$` gives, at most once a second, one problem for each kind of message that could not be decoded, with
 *    their count. They are left out, and the stream goes on. With a code of {@link PackageError}, it gives that the
 *    package `nats` cannot be used.
 * 4. `status$` is `live` when the server has taken the subscriptions, with a reason where it refused some of them;
 *    `down` since the connection was lost; a late subscriber gets the present one. A silent server is noticed within
 *    10 s, and tried again at least once a second.
 * 5. None of these errors. They complete only when a given connection is closed by its owner. All share one run: it
 *    begins with the first subscription, and nothing happens after the last.
 *
 * ```
 *   NATS       a b       (cut: c is lost)      d
 *   loads$     a-b-----------------------------d--------
 *   status$    live------down------------live-----------
 *   accounting$  2 messages                     3 messages, 1 missing, detached
 * ```
 *
 * An error that a subscriber throws is no error of the stream: RxJS reports it on a timer, which ends a Node process
 * unless `config.onUnhandledError` of rxjs is set.
 *
 * @throws NatsOptionsError for options that cannot be followed, and EndpointNameError for what names no endpoint.
 *
 * @example
 * ```ts no-run
 * import { loadMonitor, policies } from 'tidemark';
 * import { natsLoads } from 'tidemark/nats';
 *
 * const { loads$, accounting$, status$ } = natsLoads({ servers: 'nats://127.0.0.1:4222', namespace: 'prod' });
 * const monitor = loadMonitor({ loads: loads$, status: [status$] }, { policy: policies.default });
 * accounting$.subscribe(({ gaps }) => gaps.forEach(({ publisherId, missing }) => console.warn(publisherId, missing)));
 * monitor.connect();
 * ```
 *
 * @see {@link natsPublisher}
 */
export function natsLoads(options: NatsLoadsOptions & { readonly form: 'columns' }): NatsLoads<LoadBatch>;
export function natsLoads(options: NatsLoadsOptions & { readonly form?: 'objects' }): NatsLoads<LoadReceived>;
export function natsLoads(options: NatsLoadsOptions): NatsLoads<LoadReceived | LoadBatch> {
  const { namespace, release, form = 'objects', scheduler = monotonicScheduler } = options;
  const endpoint = options.endpoint === undefined ? undefined : parseEndpoint(options.endpoint, namespace);
  const only = release === undefined ? undefined : SCOPE_OF_RELEASE[release];
  const policy = policies[release === undefined ? 'default' : (`dynamo-${release}` satisfies PolicyName)];
  const receiver = new LoadReceiver(form, policy, scheduler);
  const subjects = loadSubjects({ namespace: namespace ?? endpoint?.namespace, endpoint, only });
  return runLoads(options, subjects, receiver, scheduler);
}

const SCOPE_OF_RELEASE: Readonly<Record<LoadRelease, 'namespace' | 'endpoint'>> = {
  '0.8': 'namespace',
  '1.0': 'namespace',
  '1.1': 'namespace',
  '1.4': 'endpoint',
  '1.6': 'endpoint',
};
