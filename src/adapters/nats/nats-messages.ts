import { Observable, ReplaySubject, Subject, type Subscription, distinctUntilChanged, share } from 'rxjs';
import { aString } from '../../core/option-problems.js';
import type { Message, MessageSource } from '../../core/sources/message-source.js';
import { NatsError } from './nats-error.js';
import { type NatsLink, type Subscribed, subscribeAll } from './nats-link.js';
import { type NatsConnectionOptions, requireNatsOptions } from './nats-options.js';
import { runNats } from './nats-run.js';

/** Options of {@link natsMessages}. */
export type NatsMessagesOptions = NatsConnectionOptions & {
  /** The name of the source in the status; `nats` when absent. */
  readonly source?: string;
};

/** The subjects of one subscriber, and where its messages go. */
interface Receiver {
  readonly subjects: readonly string[];
  readonly receive: (message: Message) => void;
  /** Its subscription on the current connection. */
  current?: Subscription;
}

/**
 * Subscribes all receivers on a connection, and those that are added later. Emits when the server has answered to all
 * that are present, and again when that changes. Errors if it refused everything.
 */
function subscribeReceivers(
  link: NatsLink,
  receivers: ReadonlySet<Receiver>,
  changed$: Observable<Receiver>,
): Observable<Subscribed> {
  return new Observable((subscriber) => {
    const answers = new WeakMap<Receiver, Subscribed | NatsError>();
    const report = (): void => {
      const present = [...receivers].map((receiver) => answers.get(receiver));
      const answered = present.filter((answer) => answer !== undefined);
      if (answered.length < present.length) return;
      const errors = answered.filter((answer) => answer instanceof NatsError);
      if (errors[0] !== undefined && errors.length === answered.length) subscriber.error(errors[0]);
      else
        subscriber.next({
          refused: answered.flatMap((answer) =>
            answer instanceof NatsError ? [answer.message] : answer.refused,
          ),
        });
    };
    const open = (receiver: Receiver): void => {
      const answer = (result: Subscribed | NatsError): void => {
        answers.set(receiver, result);
        report();
      };
      receiver.current = subscribeAll(link, receiver.subjects, receiver.receive).subscribe({
        next: answer,
        error: (error: unknown) => {
          if (error instanceof NatsError && error.code === 'nats-permission') answer(error);
          else subscriber.error(error);
        },
      });
      subscriber.add(receiver.current);
    };
    receivers.forEach(open);
    if (receivers.size === 0) report();
    return changed$.subscribe({
      next: (receiver) => (receivers.has(receiver) ? open(receiver) : report()),
      error: (error: unknown) => subscriber.error(error),
    });
  });
}

function isSameRefusal(a: Subscribed, b: Subscribed): boolean {
  return a.refused.join() === b.refused.join();
}

/**
 * The messages of a NATS server, as a {@link MessageSource}.
 *
 * 1. All subscriptions and `status$` share one connection, from the first subscription to the last. It reconnects by
 *    itself, and subscribes again. A connection of the caller stays open.
 * 2. All messages that the client reads from its socket at once are delivered in one turn, in order. NATS does not store
 *    messages for absent subscribers.
 * 3. `status$` is `live` when the server has accepted the subscriptions, with a reason if it refused some of them, and
 *    `down` while the connection is lost or all subjects are refused. A silent server is noticed within 10 s. The time
 *    between two attempts to connect is at most a second.
 * 4. No output errors. The outputs complete only when the owner of a given connection closes it.
 *
 * @throws NatsOptionsError for invalid options, synchronously.
 *
 * @example
 * ```ts no-run
 * import { natsMessages } from 'tidemark/nats';
 *
 * const messages = natsMessages({ servers: 'nats://127.0.0.1:4222' });
 * messages.subscribe(['orders.*']).subscribe(({ subject, data }) => console.log(subject, data.length));
 * messages.status$.subscribe(({ state, why = '' }) => console.log(state, why));
 * ```
 *
 * @see {@link natsPublisher}
 */
export function natsMessages(options: NatsMessagesOptions): MessageSource {
  requireNatsOptions('natsMessages', options, { source: aString });
  const { source = 'nats', ...connection } = options;
  const receivers = new Set<Receiver>();
  /** A receiver that was added or removed. */
  const changed$ = new Subject<Receiver>();
  const status$ = runNats(connection, source, (link) =>
    subscribeReceivers(link, receivers, changed$).pipe(distinctUntilChanged(isSameRefusal)),
  ).pipe(share({ connector: () => new ReplaySubject(1) }));
  const subscribe = (subjects: readonly string[]): Observable<Message> =>
    new Observable((subscriber) => {
      const receiver: Receiver = { subjects, receive: (message) => subscriber.next(message) };
      receivers.add(receiver);
      changed$.next(receiver);
      const run = status$.subscribe({
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      });
      return () => {
        receivers.delete(receiver);
        receiver.current?.unsubscribe();
        run.unsubscribe();
        changed$.next(receiver);
      };
    });
  return { subscribe, status$ };
}
