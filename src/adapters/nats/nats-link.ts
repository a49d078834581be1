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
