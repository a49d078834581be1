import { Observable } from 'rxjs';
import type { NatsLink } from './nats-link.js';

/** What a connection says about itself. */
export interface LinkStatus {
  readonly type: string;
  /** Of an error about permissions: what was not permitted, as the client of `nats` 2 tells it. */
  readonly permissionContext?: Refused;
  /** The same as the client of `@nats-io/transport-node` 3 tells it. */
  readonly error?: Partial<Refused>;
}

interface Refused {
  readonly operation: string;
  readonly subject: string;
}

/** What a connection says about itself while somebody listens; it ends with the connection, however that ends. */
export function linkStatuses(link: NatsLink): Observable<LinkStatus> {
  return new Observable((subscriber) => {
    const statuses = link.status() as AsyncIterable<LinkStatus> & { stop?: () => void };
    const read = async (): Promise<void> => {
      for await (const status of statuses) {
        if (subscriber.closed) return;
        subscriber.next(status);
      }
    };
    read().then(
      () => subscriber.complete(),
      (error: unknown) => subscriber.error(error),
    );
    // Both clients end the iterator so; unread, what they say would pile up.
    return () => statuses.stop?.();
  });
}
