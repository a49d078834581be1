import { EventEmitter, on } from 'node:events';
import { Observable, tap } from 'rxjs';
import { NatsError } from '../../adapters/nats/nats-error.js';
import type { NatsLink } from '../../adapters/nats/nats-link.js';
import type { NatsOptions } from '../../adapters/nats/nats-options.js';
import { runNats } from '../../adapters/nats/nats-run.js';
import type { SourceStatus } from '../../core/sources/source-status.js';

/**
 * A NATS connection that many workers share and that reconnects by itself. While it is disconnected, its users see
 * `disconnect`, and publishers drop their messages, which keep their sequence numbers.
 */
export class SharedLink implements NatsLink {
  /** Connects on the first subscription, and closes the connection with the last. */
  readonly status$: Observable<SourceStatus>;
  private readonly events = new EventEmitter().setMaxListeners(0);
  private link: NatsLink | null = null;

  /** @throws NatsOptionsError for invalid options */
  constructor(options: NatsOptions) {
    this.status$ = runNats(
      options,
      'publisher',
      (link) =>
        new Observable((subscriber) => {
          this.link = link;
          this.events.emit('status', 'reconnect');
          subscriber.next({ refused: [] });
          return () => {
            this.link = null;
            this.events.emit('status', 'disconnect');
          };
        }),
    ).pipe(tap({ finalize: () => this.events.emit('over') }));
  }

  publish(subject: string, data?: Uint8Array, options?: { readonly reply?: string }): void {
    this.link?.publish(subject, data, options);
  }

  async flush(): Promise<void> {
    await this.link?.flush();
  }

  isClosed(): boolean {
    return false;
  }

  closed(): Promise<unknown> {
    return new Promise((resolve) => this.events.once('over', resolve));
  }

  status(): AsyncIterable<{ readonly type: string }> & { stop: () => void } {
    const stopping = new AbortController();
    const { events } = this;
    return {
      stop: () => stopping.abort(),
      async *[Symbol.asyncIterator]() {
        try {
          for await (const [type] of on(events, 'status', { signal: stopping.signal })) {
            yield { type: String(type) };
          }
        } catch (error) {
          if (!stopping.signal.aborted) throw error;
        }
      },
    };
  }

  /** Subscribes on the current connection. Subscriptions do not survive it: subscribe again after a reconnect. */
  subscribe(...args: Parameters<NatsLink['subscribe']>): ReturnType<NatsLink['subscribe']> {
    if (this.link === null) {
      throw new NatsError(
        'nats-unreachable',
        'There is no connection to NATS: subscribe after the next reconnect.',
      );
    }
    return this.link.subscribe(...args);
  }

  getServer(): string {
    return this.link?.getServer() ?? 'NATS';
  }
}
