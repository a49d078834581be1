import { performance } from 'node:perf_hooks';
import type { ReceivedLoads } from '../../../src/dynamo/loads/receive-loads.js';
import type { LoadReceived } from '../../../src/core/events/fleet-event.js';
import type { LoadAccount, SequenceGap } from '../../../src/wire/loads/load-account.js';
import { SourceListener } from '../source-listener.js';
import type { ReceivedNumber } from './losses.js';

const now = performance.now.bind(performance);

/** Receives loads through tidemark, and keeps track of the numbers of each publisher. */
export class NatsListener extends SourceListener {
  readonly received = new Map<string, ReceivedNumber[]>();
  readonly gaps: SequenceGap[] = [];
  account: LoadAccount | null = null;

  constructor(
    { loads$, accounting$, status$ }: Omit<ReceivedLoads<LoadReceived>, 'problems$'>,
    numberOf: (load: LoadReceived) => readonly [publisher: string, number: number],
  ) {
    super(status$);
    this.subscribe(loads$, (load) => {
      const [publisher, number] = numberOf(load);
      const numbers = this.of(publisher);
      if (numbers.length === 0) this.received.set(publisher, numbers);
      numbers.push({ number, at: now() });
    });
    this.subscribe(accounting$, ({ account, gaps }) => {
      this.account = account;
      this.gaps.push(...gaps);
    });
  }

  of(publisher: string): ReceivedNumber[] {
    return this.received.get(publisher) ?? [];
  }
}
