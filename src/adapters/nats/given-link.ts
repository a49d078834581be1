import { Observable } from 'rxjs';
import { linkStatuses } from './link-statuses.js';
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
    subscriber.next('up');
    link.closed().then(close, close);
    return linkStatuses(link).subscribe({
      next: ({ type }) => {
        if (type === 'disconnect') subscriber.next('down');
        if (type === 'reconnect') subscriber.next('up');
      },
      error: close,
    });
  });
}
