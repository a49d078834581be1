import { Observable, ReplaySubject, type SchedulerLike, Subject, interval, merge, share, tap } from 'rxjs';
import type { LoadReceived } from '../../core/events/fleet-event.js';
import type { LoadBatch } from '../../core/events/load-batch.js';
import { oneOf, validatedElsewhere } from '../../core/option-problems.js';
import { type PolicyName, policies } from '../../core/policy/policies.js';
import type { Problem } from '../../core/sources/problem.js';
import { type SourceStatus, packageProblems } from '../../core/sources/source-status.js';
import { type EndpointLike, parseEndpoint, requireNamespace } from '../../wire/endpoint-names.js';
import { monotonicScheduler } from '../clock/monotonic-scheduler.js';
import { type AccountingReport, type LoadForm, LoadReceiver } from './load-receiver.js';
import { loadSubjects } from './load-subjects.js';
import { subscribeAll } from './nats-link.js';
import { type NatsConnectionOptions, requireNatsOptions } from './nats-options.js';
import { runNats } from './nats-run.js';

/** The minimum time between two reports of accounts and problems. */
const REPORT_MS = 1_000;

/** Runs the subscriptions for all four outputs. Loads bypass everything that the other outputs need. */
function runLoads(
  connection: NatsConnectionOptions,
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
  /** Called before the first message of a connection. */
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
  const statuses$ = runNats(connection, 'loads', (link) => {
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
    loads$: whileRunning(receiver.loads$, status$),
    accounting$: whileRunning(reports$, status$),
    problems$: merge(whileRunning(problems$, status$), packageProblems(status$, 'loads')),
    status$,
  };
}

/** Emits values while it is also subscribed to the run, and ends with the run. */
function whileRunning<T>(values$: Observable<T>, run$: Observable<unknown>): Observable<T> {
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

/** A release whose messages to receive. */
export type LoadRelease = '0.8' | '1.0' | '1.1' | '1.4' | '1.6';

/** Options of {@link natsLoads}. */
export type NatsLoadsOptions = NatsConnectionOptions & {
  /** Only loads of this namespace. Defaults to all. */
  readonly namespace?: string;
  /** Only loads of this endpoint. Defaults to all. Loads of releases up to 1.3 name no endpoint, so all are received. */
  readonly endpoint?: EndpointLike;
  /** Only the subjects and formats of this release. Defaults to those of all releases. */
  readonly release?: LoadRelease;
  /** Defaults to `objects`. */
  readonly form?: LoadForm;
};

/** The result of {@link natsLoads}. */
export interface NatsLoads<Load> {
  /** The loads as they are received. */
  readonly loads$: Observable<Load>;
  /** Reports of received and missing messages, at most once a second. */
  readonly accounting$: Observable<AccountingReport>;
  /** Messages that could not be decoded. */
  readonly problems$: Observable<Problem>;
  /** The status of the subscriptions. */
  readonly status$: Observable<SourceStatus>;
}

/**
 * Receives the loads that the workers and routers of a Dynamo fleet publish on NATS, of any release (0.4 to 1.6) or of
 * several at once.
 *
 * 1. `loads$` emits every load on receipt, and nothing earlier to late subscribers. All loads that the client read from its
 *    socket at once are emitted in one turn, in order. With the form `columns` they are one {@link LoadBatch} of
 *    `tidemark/fast`, without an object per load. A batch can be read only during the call: nothing may delay it.
 * 2. NATS does not store messages for absent subscribers. `accounting$` reports the loss: the numbers of messages, bytes
 *    and failures, and every gap in the sequence numbers of a publisher, with whether the connection was lost in between.
 *    It emits at most once a second, only after changes, and once more before it completes. A late subscriber gets the
 *    latest report first.
 * 3. `problems$` emits, at most once a second, one problem with a count for each kind of message that could not be
 *    decoded. Such messages are ignored. A problem with a code of {@link PackageError} says that the package `nats`
 *    cannot be used.
 * 4. `status$` is `live` when the server has accepted the subscriptions, with a reason if it refused some of them, and
 *    `down` while the connection is lost. A late subscriber gets the current status first. A silent server is noticed
 *    within 10 s. The time between two attempts to connect is at most a second.
 * 5. No output errors. The outputs complete only when the owner of a given connection closes it. All share one run, from
 *    the first subscription to the last.
 *
 * ```
 *   NATS       a b       (cut: c is lost)      d
 *   loads$     a-b-----------------------------d--------
 *   status$    live------down------------live-----------
 *   accounting$  2 messages                     3 messages, 1 missing, detached
 * ```
 *
 * An error that a subscriber throws is not an error of the stream: RxJS reports it from a timer, which crashes a Node
 * process unless `config.onUnhandledError` of rxjs is set.
 *
 * @throws NatsOptionsError for invalid options, ScopeError for an invalid namespace, and EndpointNameError for an invalid
 *   endpoint; all synchronously.
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
export function natsLoads(options: NatsLoadsOptions): NatsLoads<LoadReceived | LoadBatch>;
export function natsLoads(options: NatsLoadsOptions): NatsLoads<LoadReceived | LoadBatch> {
  requireNatsOptions('natsLoads', options, {
    namespace: validatedElsewhere,
    endpoint: validatedElsewhere,
    release: oneOf(Object.keys(SCOPE_OF_RELEASE)),
    form: oneOf(['objects', 'columns']),
  });
  const { release, form = 'objects', scheduler = monotonicScheduler } = options;
  const namespace = requireNamespace(options.namespace);
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
