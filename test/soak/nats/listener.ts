import { performance } from 'node:perf_hooks';
import { natsLoads } from '../../../src/adapters/nats/nats-loads.js';
import type { NatsAuth } from '../../../src/adapters/nats/nats-options.js';
import type { WorkerId } from '../../../src/core/worker-id.js';
import type { LoadAccount, SequenceGap } from '../../../src/wire/load-account.js';
import { Ear } from '../ear.js';
import type { Heard } from './losses.js';

const now = performance.now.bind(performance);

/** Listens through tidemark and keeps count of the numbers of every worker. */
export class Listener extends Ear {
  readonly heard = new Map<WorkerId, Heard[]>();
  readonly gaps: SequenceGap[] = [];
  account: LoadAccount | null = null;

  constructor(servers: string, auth: NatsAuth) {
    const { loads$, accounting$, status$ } = natsLoads({ servers, auth, form: 'objects' });
    super(status$);
    this.hear(loads$, (load) => {
      const numbers = this.of(load.workerId);
      if (numbers.length === 0) this.heard.set(load.workerId, numbers);
      numbers.push({ number: Number(load.activeDecodeBlocks), at: now() });
    });
    this.hear(accounting$, ({ account, gaps }) => {
      this.account = account;
      this.gaps.push(...gaps);
    });
  }

  of(worker: WorkerId): Heard[] {
    return this.heard.get(worker) ?? [];
  }
}
