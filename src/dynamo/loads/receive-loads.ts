import {
  EMPTY,
  Observable,
  ReplaySubject,
  type SchedulerLike,
  Subject,
  Subscription,
  type TimestampProvider,
  asyncScheduler,
  filter,
  interval,
  map,
  merge,
  mergeMap,
  scan,
  share,
  takeUntil,
  tap,
} from 'rxjs';
import type { LoadReceived } from '../../core/events/fleet-event.js';
import type { LoadBatch } from '../../core/events/load-batch.js';
import { type PolicyName, policies } from '../../core/policy/policies.js';
import type { Message, MessageSource } from '../../core/sources/message-source.js';
import type { Problem } from '../../core/sources/problem.js';
import { type SourceStatus, packageProblems } from '../../core/sources/source-status.js';
import { setDifference } from '../../operators/set-difference.js';
import { type FleetScope, parseScope } from '../discovery/fleet-scope.js';
import { type AccountingReport, type LoadForm, LoadReceiver } from './load-receiver.js';
import { type SubjectScope, loadSubjects, loadSubjectsIn } from './load-subjects.js';

/** The minimum time between two reports of accounts and problems. */
const REPORT_MS = 1_000;

/** The subjects of a scope, and those of further namespaces. */
interface FollowedSubjects {
  readonly own: readonly string[];
  readonly namespaces$: Observable<readonly string[]>;
  readonly subjectsIn: (namespace: string) => readonly string[];
}

/** Runs the subscriptions for all four outputs. Loads bypass everything that the other outputs need. */
function runLoads(
  messages: MessageSource,
  { own, namespaces$, subjectsIn }: FollowedSubjects,
  receiver: LoadReceiver,
  scheduler: SchedulerLike,
): ReceivedLoads<LoadReceived | LoadBatch> {
  const { accounting } = receiver;
  const reports$ = new ReplaySubject<AccountingReport>(1);
  const problems$ = new Subject<Problem>();
  let isAttached = false;
  let wasAttached = false;
  let detachedSince: number | null = null;
  let reportedVersion = accounting.version;

  /** Called before the first message of a connection is counted. */
  const attach = (): void => {
    if (detachedSince !== null) accounting.recordDetached(detachedSince, scheduler.now());
    detachedSince = null;
    isAttached = true;
    wasAttached = true;
  };
  const detach = (): void => {
    isAttached = false;
    if (wasAttached) detachedSince ??= scheduler.now();
  };
  const receive = (message: Message): void => {
    if (!isAttached) attach();
    receiver.take(message);
  };
  const note = ({ state }: SourceStatus): void => {
    if (state !== 'live') detach();
    else if (!isAttached) attach();
  };
  const report = (): void => {
    if (accounting.version === reportedVersion) return;
    reportedVersion = accounting.version;
    reports$.next({ account: accounting.snapshot(), gaps: accounting.takeGaps() });
    accounting.nextInterval();
    for (const problem of receiver.takeProblems()) problems$.next(problem);
  };
  const run$ = new Observable<SourceStatus>((subscriber) => {
    const error = (reason: unknown): void => subscriber.error(reason);
    // Of its own, so that the end of the messages does not end the status before it is emitted.
    const run = new Subscription();
    const messages$ = merge(
      messages.subscribe(own),
      followNamespaces(namespaces$, (namespace) => messages.subscribe(subjectsIn(namespace))),
    );
    run.add(messages$.subscribe({ next: receive, error }));
    run.add(messages.status$.pipe(tap({ next: note, complete: report })).subscribe(subscriber));
    run.add(interval(REPORT_MS, scheduler).subscribe({ next: report, error }));
    run.add(() => {
      report();
      detach();
    });
    return run;
  });
  const status$ = run$.pipe(
    map((status): SourceStatus => ({ ...status, source: 'loads' })),
    share({ connector: () => new ReplaySubject(1) }),
  );

  return {
    loads$: whileRunning(receiver.loads$, status$),
    accounting$: whileRunning(reports$, status$),
    problems$: merge(whileRunning(problems$, status$), packageProblems(status$, 'loads')),
    status$,
  };
}

/** The maximum number of namespaces that are followed although they have no workers any more. */
const MAX_ABSENT_NAMESPACES = 64;

/**
 * The messages of each namespace, from when it is first listed. A namespace without workers is followed further, because its
 * workers may return, and messages that were not received in between would count as lost.
 */
function followNamespaces(
  namespaces$: Observable<readonly string[]>,
  messagesOf: (namespace: string) => Observable<Message>,
): Observable<Message> {
  const followed$ = namespaces$.pipe(
    scan((followed: readonly string[], names) => {
      const present = new Set(names);
      return [...followed.filter((name) => !present.has(name)).slice(-MAX_ABSENT_NAMESPACES), ...names];
    }, []),
    setDifference(),
    share(),
  );
  return followed$.pipe(
    mergeMap(({ added }) => added),
    mergeMap((namespace) => {
      const ended$ = followed$.pipe(filter(({ removed }) => removed.includes(namespace)));
      return messagesOf(namespace).pipe(takeUntil(ended$));
    }),
  );
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

/** Options of {@link receiveLoads}: whose loads to receive, and how. */
export interface ReceiveLoadsOptions extends FleetScope {
  /**
   * Further namespaces to receive the loads of, as they are known: those that the namespace selects besides itself, such as
   * its generations. `namespaces$` of a {@link Discovery} has them.
   */
  readonly namespaces$?: Observable<readonly string[]> | undefined;
  /** Only the subjects and formats of this release. All when absent. */
  readonly release?: LoadRelease | undefined;
  /** `objects` when absent. */
  readonly form?: LoadForm | undefined;
  /** The clock of receipt and of the reports. `asyncScheduler` when absent. */
  readonly scheduler?: SchedulerLike | undefined;
  /** The wall clock, which the clocks of the publishers are compared with. That of `asyncScheduler` when absent. */
  readonly wallClock?: TimestampProvider | undefined;
}

/** The result of {@link receiveLoads}. */
export interface ReceivedLoads<Load> {
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
 * Receives the loads that the workers and routers of a Dynamo fleet publish, of any release (0.4 to 1.6) or of several at
 * once.
 *
 * 1. `loads$` emits every load on receipt, and nothing earlier to late subscribers. All loads that the source delivers in
 *    one turn are emitted in that turn, in order. With the form `columns` they are one {@link LoadBatch} of
 *    `tidemark/fast`, without an object per load. A batch can be read only during the call: nothing may delay it.
 * 2. Messages are not stored for absent subscribers. `accounting$` reports the loss: the numbers of messages, bytes
 *    and failures, and every gap in the sequence numbers of a publisher, with whether the connection was lost in between.
 *    It emits at most once a second, only after changes, and once more before it completes. A late subscriber gets the
 *    latest report first.
 * 3. `problems$` emits, at most once a second, one problem with a count for each kind of message that could not be
 *    decoded. Such messages are ignored. A problem with a code of {@link PackageError} says that the package of the source
 *    cannot be used.
 * 4. `status$` is the status of the source, under the name `loads`. A late subscriber gets the current status first.
 * 5. With an endpoint, the loads of releases up to 1.3, which name no endpoint, are those of the whole namespace.
 * 6. The subjects of a namespace are received at once, and those of its generations as soon as `namespaces$` lists them, so
 *    that no messages of other namespaces are received.
 * 7. No output errors. The outputs complete only when the source completes. All share one run, from the first subscription
 *    to the last.
 *
 * ```
 *   messages   a b       (cut: c is lost)      d
 *   loads$     a-b-----------------------------d--------
 *   status$    live------down------------live-----------
 *   accounting$  2 messages                     3 messages, 1 missing, detached
 * ```
 *
 * An error that a subscriber throws is not an error of the stream: RxJS reports it from a timer, which crashes a Node
 * process unless `config.onUnhandledError` of rxjs is set.
 *
 * @throws ScopeError for an invalid namespace, and EndpointNameError for an invalid endpoint; both synchronously.
 *
 * @example
 * ```ts
 * import { MemoryMessages, workerId } from 'tidemark';
 * import { loadSubject, receiveLoads } from 'tidemark/dynamo';
 * import { encodeActiveLoad, encodeEnvelope } from 'tidemark/wire';
 *
 * const messages = new MemoryMessages();
 * const { loads$ } = receiveLoads(messages, { namespace: 'prod' });
 * const receiving = loads$.subscribe(({ kvUsedBlocks }) => console.log(kvUsedBlocks));
 * const load = { workerId: workerId('7'), dpRank: 0, activeDecodeBlocks: null, activePrefillTokens: null, kvUsedBlocks: 90 };
 * const header = { publisherId: '9', sequence: 0, publishedAt: 1_700_000_000_000 };
 * messages.publish(loadSubject({ namespace: 'prod' }), encodeEnvelope(header, encodeActiveLoad(load, 5)));
 * receiving.unsubscribe();
 * // Logs: 90
 * ```
 *
 * @see {@link dynamoFleet} for a whole fleet, {@link discoverWorkers} for its workers
 */
export function receiveLoads(
  messages: MessageSource,
  options: ReceiveLoadsOptions & { readonly form: 'columns' },
): ReceivedLoads<LoadBatch>;
export function receiveLoads(
  messages: MessageSource,
  options?: ReceiveLoadsOptions & { readonly form?: 'objects' | undefined },
): ReceivedLoads<LoadReceived>;
export function receiveLoads(
  messages: MessageSource,
  options: ReceiveLoadsOptions,
): ReceivedLoads<LoadReceived | LoadBatch>;
export function receiveLoads(
  messages: MessageSource,
  options: ReceiveLoadsOptions = {},
): ReceivedLoads<LoadReceived | LoadBatch> {
  const { release, form = 'objects', scheduler = asyncScheduler, wallClock = asyncScheduler } = options;
  const only = release === undefined ? undefined : SCOPE_OF_RELEASE[release];
  const policy = policies[release === undefined ? 'default' : (`dynamo-${release}` satisfies PolicyName)];
  const receiver = new LoadReceiver(form, policy, scheduler, wallClock);
  const scope = parseScope(options);
  const { namespaces$ = EMPTY } = options;
  const subjects: FollowedSubjects = {
    own: loadSubjects(scope, only),
    namespaces$: namespaces$.pipe(map((names) => names.filter((name) => name !== scope.namespace))),
    subjectsIn: (namespace) => loadSubjectsIn(namespace, scope, only),
  };
  return runLoads(messages, subjects, receiver, scheduler);
}

/** The subjects of each release. */
export const SCOPE_OF_RELEASE: Readonly<Record<LoadRelease, SubjectScope>> = {
  '0.8': 'namespace',
  '1.0': 'namespace',
  '1.1': 'namespace',
  '1.4': 'endpoint',
  '1.6': 'endpoint',
};
