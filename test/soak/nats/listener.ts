import { performance } from 'node:perf_hooks';
import type { NatsLoads } from '../../../src/adapters/nats/nats-loads.js';
import type { LoadReceived } from '../../../src/core/events/fleet-event.js';
import type { LoadAccount, SequenceGap } from '../../../src/wire/loads/load-account.js';
import { Ear } from '../ear.js';
import type { Heard } from './losses.js';

const now = performance.now.bind(performance);

/** Listens through tidemark and keeps count of the numbers, of everyone for itself. */
export class Listener extends Ear {
  readonly heard = new Map<string, Heard[]>();
  readonly gaps: SequenceGap[] = [];
  account: LoadAccount | null = null;

  constructor(
    { loads$, accounting$, status$ }: Omit<NatsLoads<LoadReceived>, 'problems$'>,
    numberOf: (load: LoadReceived) => readonly [who: string, number: number],
  ) {
    super(status$);
    this.hear(loads$, (load) => {
      const [who, number] = numberOf(load);
      const numbers = this.of(who);
      if (numbers.length === 0) this.heard.set(who, numbers);
      numbers.push({ number, at: now() });
    });
    this.hear(accounting$, ({ account, gaps }) => {
      this.account = account;
      this.gaps.push(...gaps);
    });
  }

  of(who: string): Heard[] {
    return this.heard.get(who) ?? [];
  }
}
