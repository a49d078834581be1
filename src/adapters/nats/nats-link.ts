import { Observable, filter, map } from 'rxjs';
import { NatsError, toNatsError } from './nats-error.js';

/** A message of a NATS client. */
export interface NatsMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  /** The subject for a reply; absent or empty if none is expected. */
  readonly reply?: string;
  /** Headers with a status of the server: 503 means that there are no subscribers. */
  readonly headers?: { readonly code: number };
}

/**
 * The methods of a NATS connection that tidemark uses. Connections of the packages `nats` (2) and
 * `@nats-io/transport-node` (3) have them.
 */
export interface NatsLink {
  subscribe(
    subject: string,
    options: { readonly callback: (error: Error | null, message: NatsMessage) => void },
  ): { unsubscribe(): void };
  publish(subject: string, data?: Uint8Array, options?: { readonly reply?: string }): void;
  /** Resolves when the server has processed everything that was sent before. */
  flush(): Promise<void>;
  isClosed(): boolean;
  /** Resolves when the connection has ended, with the error that ended it, if any. */
  closed(): Promise<unknown>;
  status(): AsyncIterable<{ readonly type: string }>;
  getServer(): string;
}

/** A status that a connection reports. */
export interface LinkStatus {
  readonly type: string;
  /** The operation that was not permitted, in `nats` 2. */
  readonly permissionContext?: Refused;
  /** The code of an error, in `nats` 2. */
  readonly data?: unknown;
  /** Both in `@nats-io/transport-node` 3. */
  readonly error?: Partial<Refused> & { readonly message?: string };
}

interface Refused {
  readonly operation: string;
  readonly subject: string;
}

/** Emits the statuses of a connection, and completes or errors when the connection ends. */
function readLinkStatuses(link: NatsLink): Observable<LinkStatus> {
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
    // Both clients end the iterator like this. Unread statuses would pile up.
    return () => statuses.stop?.();
  });
}

/**
 * The state of a connection that the caller opened: `up`, `down` while the caller's client reconnects, and finally
 * `closed`, after which it completes.
 *
 * If a client reports only the end of a connection, the connection counts as up until then.
 */
export function watchGivenLink(link: NatsLink): Observable<'up' | 'down' | 'closed'> {
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
    return readLinkStatuses(link).subscribe({
      next: ({ type }) => {
        if (type === 'disconnect') subscriber.next('down');
        if (type === 'reconnect') subscriber.next('up');
      },
      error: close,
    });
  });
}

/** Errors if the server does not permit publishing on a subject, which the client reports only as a status. */
export function watchPublishRefusal(link: NatsLink, subject: string): Observable<never> {
  return readLinkStatuses(link).pipe(
    map(({ permissionContext, error }) => permissionContext ?? error),
    filter((refused) => refused?.operation === 'publish' && refused.subject === subject),
    map(() => {
      throw new NatsError(
        'nats-permission',
        `NATS at ${link.getServer()}, publishing on ${subject}: permissions violation. Check the permissions of the user for that subject.`,
      );
    }),
  );
}

/** The result of subscriptions. */
export interface Subscribed {
  /** One reason for each subject that the server refused. */
  readonly refused: readonly string[];
}

/**
 * Subscribes to subjects and passes every message to `handle`.
 *
 * 1. Emits once, when the server has accepted the subscriptions.
 * 2. `refused` contains a reason for each subject that the server refused. If it refused all of them, the stream errors
 *    with `nats-permission`.
 * 3. `handle` is called from the callback of the client, which is the fastest way. An exception there would stop the
 *    client, so an error that `handle` throws becomes an error of this stream.
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
            refused.push(toNatsError(error, url, `subscribing to ${subject}`).message);
            return;
          }
          try {
            handle(message);
          } catch (failure) {
            subscriber.error(toNatsError(failure, url, `handling a message on ${subject}`));
          }
        },
      }),
    );
    link.flush().then(
      () => {
        if (refused.length < subjects.length) subscriber.next({ refused });
        else subscriber.error(new NatsError('nats-permission', refused.join(' ')));
      },
      (error: unknown) => subscriber.error(toNatsError(error, url, 'subscribing')),
    );
    return () => {
      for (const subscription of subscriptions) if (!link.isClosed()) subscription.unsubscribe();
    };
  });
}
