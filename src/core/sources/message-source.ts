import { Observable } from 'rxjs';
import { type SourceStatus, liveStatus } from './source-status.js';

/** A message on a subject. */
export interface Message {
  readonly subject: string;
  readonly data: Uint8Array;
}

/**
 * A system that delivers messages by subject: what an event plane provides.
 *
 * 1. A subject is a list of tokens that are separated by dots. In a subscription the token `*` matches one token, and `>`
 *    at the end matches one or more.
 * 2. Messages are delivered synchronously, in the order in which they arrive. Nothing is stored for absent subscribers.
 * 3. All subscriptions and `status$` share one connection, from the first subscription to the last.
 * 4. `status$` is `live` while messages can arrive on all subscribed subjects; if some were refused, it says which ones. A
 *    subscription on a live source takes effect as soon as the system has accepted it.
 * 5. Neither output errors. They complete only when no further message can arrive.
 */
export interface MessageSource {
  /** The messages on any of these subjects. A message that several subjects match is delivered once for each of them. */
  subscribe(subjects: readonly string[]): Observable<Message>;
  /** The status of the connection, beginning with the current one. */
  readonly status$: Observable<SourceStatus>;
}

/**
 * Messages in memory, as a {@link MessageSource}: for tests, for simulated fleets, and for a program that has its own
 * event plane. It is always live.
 *
 * @example
 * ```ts
 * import { MemoryMessages } from 'tidemark';
 *
 * const messages = new MemoryMessages();
 * messages.subscribe(['loads.*']).subscribe(({ subject, data }) => console.log(subject, data.length));
 * messages.publish('loads.a', new Uint8Array(3));
 * messages.publish('other', new Uint8Array(1));
 * // Logs: loads.a 3
 * ```
 *
 * @see {@link MemoryKeys}
 */
export class MemoryMessages implements MessageSource {
  readonly status$: Observable<SourceStatus>;
  readonly #receivers = new Set<(message: Message) => void>();

  /** @param name the name of the source in the status; `messages` when absent */
  constructor(name = 'messages') {
    this.status$ = liveStatus(name);
  }

  subscribe(subjects: readonly string[]): Observable<Message> {
    const patterns = subjects.map(patternOf);
    return new Observable((subscriber) => {
      const receive = (message: Message): void => {
        for (const pattern of patterns) if (pattern.test(message.subject)) subscriber.next(message);
      };
      this.#receivers.add(receive);
      return () => this.#receivers.delete(receive);
    });
  }

  /** Delivers a message to all present subscribers of its subject, synchronously. */
  publish(subject: string, data: Uint8Array): void {
    for (const receive of this.#receivers) receive({ subject, data });
  }
}

/** A subject with wildcards as a regular expression. */
function patternOf(subject: string): RegExp {
  const tokens = subject.split('.').map((token) => {
    if (token === '*') return '[^.]+';
    return token === '>' ? '.+' : token.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  });
  return new RegExp(`^${tokens.join('\\.')}$`);
}
