import { Observable, filter, map } from 'rxjs';
import { NatsError, toNatsError } from './nats-error.js';

/** A message, as the clients of NATS give it. */
export interface NatsMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  /** Where an answer is to go; absent or empty where none is wanted. */
  readonly reply?: string;
  /** With the server's own word: 503 says that nobody listens. */
  readonly headers?: { readonly code: number };
}

/**
 * What is used of a connection to NATS. Those of the packages `nats` (2) and `@nats-io/transport-node` (3) fit.
 */
export interface NatsLink {
  subscribe(
    subject: string,
    options: { readonly callback: (error: Error | null, message: NatsMessage) => void },
  ): { unsubscribe(): void };
  publish(subject: string, data?: Uint8Array, options?: { readonly reply?: string }): void;
  /** Resolves when the server has taken everything before. */
  flush(): Promise<void>;
  isClosed(): boolean;
  /** Resolves when the connection is over, with the error that ended it, if one did. */
  closed(): Promise<unknown>;
  status(): AsyncIterable<{ readonly type: string }>;
  getServer(): string;
}

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
export function readLinkStatuses(link: NatsLink): Observable<LinkStatus> {
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

/**
 * How a connection is that somebody else opened and mends: `up`, and `down` while its owner reconnects, and at last
 * `closed`, with which it completes.
 *
 * A client that says nothing of its connection but that it was closed is taken to be up until then.
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

/** Errors when the server does not let us publish on a subject; the client says so beside the call, or not at all. */
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
            refused.push(toNatsError(error, url, `subscribing to ${subject}`).message);
            return;
          }
          try {
            handle(message);
          } catch (failure) {
            subscriber.error(toNatsError(failure, url, `taking a message on ${subject}`));
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
