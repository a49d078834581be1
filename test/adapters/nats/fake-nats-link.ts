import type { NatsLink, NatsMessage } from '../../../src/adapters/nats/nats-link.js';

type Callback = Parameters<NatsLink['subscribe']>[1]['callback'];

/** A connection that a test drives by hand. */
export class FakeNatsLink implements NatsLink {
  /** The callbacks by subject. A subject without any is absent. */
  readonly subscriptions = new Map<string, Set<Callback>>();
  readonly published: { readonly subject: string; readonly data: Uint8Array }[] = [];
  /** Subjects that the server refuses. */
  refused: readonly string[] = [];
  /** How often the subject of a message was asked for, which the clients decode then. */
  subjectsRead = 0;
  #isClosed = false;
  #statuses: { readonly type: string }[] = [];
  #wake: () => void = () => undefined;
  #over: (error: unknown) => void = () => undefined;
  readonly #closed = new Promise<unknown>((resolve) => (this.#over = resolve));

  subscribe(subject: string, { callback }: { readonly callback: Callback }): { unsubscribe(): void } {
    const callbacks = this.subscriptions.get(subject) ?? new Set();
    this.subscriptions.set(subject, callbacks.add(callback));
    return {
      unsubscribe: () => {
        callbacks.delete(callback);
        if (callbacks.size === 0) this.subscriptions.delete(subject);
      },
    };
  }

  publish(subject: string, data = new Uint8Array(0)): void {
    this.published.push({ subject, data });
  }

  flush(): Promise<void> {
    for (const subject of this.refused)
      for (const callback of this.subscriptions.get(subject) ?? [])
        callback(new Error(`Permissions Violation for Subscription to "${subject}"`), {} as NatsMessage);
    return Promise.resolve();
  }

  isClosed(): boolean {
    return this.#isClosed;
  }

  closed(): Promise<unknown> {
    return this.#closed;
  }

  async *status(): AsyncGenerator<{ readonly type: string }> {
    for (;;) {
      for (const status of this.#statuses.splice(0)) yield status;
      if (this.#isClosed) return;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  getServer(): string {
    return 'fake:4222';
  }

  say(type: string): void {
    this.#statuses.push({ type });
    this.#wake();
  }

  deliver(subject: string, data: Uint8Array): void {
    const read = (): number => (this.subjectsRead += 1);
    const message = {
      get subject() {
        read();
        return subject;
      },
      data,
    };
    for (const callback of this.subscriptions.get(subject) ?? []) callback(null, message);
  }

  close(): void {
    this.#isClosed = true;
    this.#wake();
    this.#over(undefined);
  }
}
