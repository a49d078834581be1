import { BehaviorSubject, Observable, ReplaySubject, type Subscriber, takeUntil } from 'rxjs';
import type { Message, MessageSource } from '../../../src/core/sources/message-source.js';
import type { SourceStatus } from '../../../src/core/sources/source-status.js';

/** A source of messages that a test drives by hand. It delivers to every subscriber, whatever its subjects. */
export class FakeMessages implements MessageSource {
  /** The subjects of each present subscriber. */
  readonly subscribed = new Map<Subscriber<Message>, readonly string[]>();
  /** The number of present subscribers of the status. */
  followers = 0;
  /** How often the subject of a message was asked for, which a client may decode then. */
  subjectsRead = 0;
  readonly #status$ = new BehaviorSubject<SourceStatus>({ source: 'fake', state: 'live', since: 0 });
  readonly #ended$ = new ReplaySubject<void>(1);

  subscribe(subjects: readonly string[]): Observable<Message> {
    return new Observable<Message>((subscriber) => {
      this.subscribed.set(subscriber, subjects);
      return () => this.subscribed.delete(subscriber);
    }).pipe(takeUntil(this.#ended$));
  }

  readonly status$ = new Observable<SourceStatus>((subscriber) => {
    this.followers += 1;
    subscriber.add(() => (this.followers -= 1));
    return this.#status$.subscribe(subscriber);
  });

  say(status: Omit<SourceStatus, 'source' | 'since'>): void {
    this.#status$.next({ source: 'fake', since: 0, ...status });
  }

  deliver(data: Uint8Array, subject = 'a.subject'): void {
    const read = (): number => (this.subjectsRead += 1);
    const message = {
      get subject() {
        read();
        return subject;
      },
      data,
    };
    for (const subscriber of this.subscribed.keys()) subscriber.next(message);
  }

  /** No further message can arrive. */
  end(): void {
    this.#ended$.next();
    this.#status$.complete();
  }
}
