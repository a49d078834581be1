import { Observable } from 'rxjs';
import type { NatsLink } from './nats-link.js';

/**
 * How a connection is that somebody else opened and mends: `up`, and `down` while its owner reconnects, and at last
 * `closed`, with which it completes.
 *
 * A client that says nothing of its connection but that it was closed is taken to be up until then.
 */
export function givenLink(link: NatsLink): Observable<'up' | 'down' | 'closed'> {
  return new Observable((subscriber) => {
    const close = (): void => {
      subscriber.next('closed');
      subscriber.complete();
    };
    if (link.isClosed()) {
      close();
      return;
    }
    const statuses = link.status() as AsyncIterable<{ readonly type: string }> & { stop?: () => void };
    const read = async (): Promise<void> => {
      for await (const { type } of statuses) {
        if (subscriber.closed) return;
        if (type === 'disconnect') subscriber.next('down');
        if (type === 'reconnect') subscriber.next('up');
      }
    };
    subscriber.next('up');
    // The iterator ends with the connection, however that ends.
    read().catch(close);
    link.closed().then(close, close);
    // Both clients end the iterator so; unread, what they say would pile up.
    return () => statuses.stop?.();
  });
}
