import type { Subscription } from 'rxjs';
import { monotonicScheduler } from '../../../src/adapters/clock/monotonic-scheduler.js';
import { natsMessages } from '../../../src/adapters/nats/nats-messages.js';
import type { NatsConnectionOptions } from '../../../src/adapters/nats/nats-options.js';
import type { SourceStatus } from '../../../src/core/sources/source-status.js';
import type { AccountingReport } from '../../../src/dynamo/loads/load-receiver.js';
import { receiveLoads } from '../../../src/dynamo/loads/receive-loads.js';
import { eventually } from '../../support/eventually.js';

/** Receives loads over NATS and records the emissions. */
export class LoadRecorder implements Disposable {
  /** The used blocks of every load, in order. Tests number their messages by them. */
  readonly received: number[] = [];
  readonly statuses: SourceStatus[] = [];
  readonly reports: AccountingReport[] = [];
  readonly problems: string[] = [];
  readonly #subscription: Subscription;

  constructor(connection: NatsConnectionOptions) {
    const received = receiveLoads(natsMessages(connection), { scheduler: monotonicScheduler });
    const { loads$, status$, accounting$, problems$ } = received;
    this.#subscription = status$.subscribe((status) => this.statuses.push(status));
    this.#subscription.add(loads$.subscribe(({ kvUsedBlocks }) => this.received.push(Number(kvUsedBlocks))));
    this.#subscription.add(accounting$.subscribe((report) => this.reports.push(report)));
    this.#subscription.add(problems$.subscribe(({ text }) => this.problems.push(text)));
  }

  get state(): SourceStatus['state'] | undefined {
    return this.statuses.at(-1)?.state;
  }

  get reasons(): string {
    return this.statuses.map(({ why = '' }) => why).join('\n');
  }

  /** Waits for a status with this state, from position `after` in the list on. */
  until(state: SourceStatus['state'], after = 0): Promise<boolean> {
    return eventually(() => this.statuses.slice(after).some((status) => status.state === state));
  }

  [Symbol.dispose](): void {
    this.#subscription.unsubscribe();
  }
}
