import { Observable } from 'rxjs';
import { NatsTrouble, natsTroubleOf } from './nats-trouble.js';
import type { NatsLink, NatsMessage } from './nats-link.js';

/** Which subjects are subscribed to, and why others are not. */
export interface Subscribed {
  readonly refused: readonly string[];
}

/**
 * Subscribes to subjects and hands every message on, for as long as somebody listens.
 *
 * 1. Emits once, when the server has taken the subscriptions: from then on messages come.
 * 2. A subject that the server refuses is in `refused`, with the reason; when it refuses all of them, that is an
 *    error, `nats-permission`.
 * 3. Messages are handed on from the client's callback, the fastest way there is. An exception there would kill the
 *    client's reader, so none gets out: what `handle` throws is an error of this stream.
 */
export function subscribeAll(
  link: NatsLink,
  subjects: readonly string[],
  handle: (message: NatsMessage) => void,
): Observable<Subscribed> {
  return new Observable((subscriber) => {
    const refused: string[] = [];
    const url = link.getServer();
    const subscriptions = subjects.map((subject) =>
      link.subscribe(subject, {
        callback: (error, message) => {
          if (error !== null) {
            refused.push(natsTroubleOf(error, url, `subscribing to ${subject}`).message);
            return;
          }
          try {
            handle(message);
          } catch (failure) {
            subscriber.error(natsTroubleOf(failure, url, `taking a message on ${subject}`));
          }
        },
      }),
    );
    link.flush().then(
      () => {
        if (refused.length < subjects.length) subscriber.next({ refused });
        else subscriber.error(new NatsTrouble('nats-permission', refused.join(' ')));
      },
      (error: unknown) => subscriber.error(natsTroubleOf(error, url, 'subscribing')),
    );
    return () => {
      for (const subscription of subscriptions) if (!link.isClosed()) subscription.unsubscribe();
    };
  });
}
