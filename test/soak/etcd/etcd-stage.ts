import { monotonicScheduler } from '../../../src/adapters/clock/monotonic-scheduler.js';
import type { EtcdServer } from '../../support/etcd-server.js';
import { eventually } from '../../support/eventually.js';
import { Stage } from '../stage.js';
import { EtcdListener } from './etcd-listener.js';
import type { Numbers } from './numbers.js';

/** Numbers that may be missing because the server no longer has them, if a resync follows the start of the fault. */
interface Excuse {
  readonly above: number;
  readonly upTo: number;
  readonly why: 'compacted' | 'replaced';
  readonly at: number;
}

/** A stage on which numbers are written directly to the server. Keeps which of them may be missing. */
export class EtcdStage extends Stage<EtcdServer, EtcdListener> {
  readonly #excuses: Excuse[] = [];

  constructor(
    readonly numbers: Numbers,
    ...others: ConstructorParameters<typeof Stage<EtcdServer, EtcdListener>>
  ) {
    super(...others);
  }

  override listen(): EtcdListener {
    return new EtcdListener(`http://127.0.0.1:${this.proxy.port}`, monotonicScheduler);
  }

  /** Waits until the listener has received the last number, or has lost it permanently. Returns the number. */
  async caughtUp(): Promise<number> {
    const last = this.numbers.written.at(-1)?.number ?? 0;
    await eventually(() => last === 0 || this.listener.received.has(last), 20_000).catch(() => undefined);
    return last;
  }

  /** Allows numbers in a range to be missing, if a resync follows. */
  excuse(why: Excuse['why'], above: number, upTo: number): void {
    this.#excuses.push({ above, upTo, why, at: this.began });
  }

  /** The number of lost values, and how many of them are excused for each reason. */
  lost(): { lost: number; compacted: number; replaced: number } {
    const missing = this.numbers.written.filter(({ number }) => !this.listener.received.has(number));
    const excuses = missing.map(({ number }) =>
      this.#excuses.find(
        ({ above, upTo, at }) =>
          number > above && number <= upTo && this.listener.resyncs.some((resyncAt) => resyncAt >= at),
      ),
    );
    const count = (why: Excuse['why']): number => excuses.filter((excuse) => excuse?.why === why).length;
    return { lost: missing.length, compacted: count('compacted'), replaced: count('replaced') };
  }
}
