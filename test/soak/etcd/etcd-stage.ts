import { monotonicScheduler } from '../../../src/adapters/clock/monotonic-scheduler.js';
import type { EtcdServer } from '../../support/etcd-server.js';
import { eventually } from '../../support/eventually.js';
import { Stage } from '../stage.js';
import { Listener } from './listener.js';
import type { Numbers } from './numbers.js';

/** Numbers that may be missing: gone from the server, if a resync says so after the fault began. */
interface Excuse {
  readonly above: number;
  readonly upTo: number;
  readonly why: 'compacted' | 'replaced';
  readonly at: number;
}

/** Where numbers are written past the faults, and which of them may be missing. */
export class EtcdStage extends Stage<EtcdServer, Listener> {
  readonly #excuses: Excuse[] = [];

  constructor(
    readonly numbers: Numbers,
    ...others: ConstructorParameters<typeof Stage<EtcdServer, Listener>>
  ) {
    super(...others);
  }

  override listen(): Listener {
    return new Listener(`http://127.0.0.1:${this.proxy.port}`, monotonicScheduler);
  }

  /** The last number, when the listener has heard it and all before, or has lost them for good. */
  async caughtUp(): Promise<number> {
    const last = this.numbers.written.at(-1)?.number ?? 0;
    await eventually(() => last === 0 || this.listener.told.has(last), 20_000).catch(() => undefined);
    return last;
  }

  /** Numbers above one, up to another one, may be missing, if a resync says so. */
  excuse(why: Excuse['why'], above: number, upTo: number): void {
    this.#excuses.push({ above, upTo, why, at: this.began });
  }

  /** The numbers that were never told, and how many of these are excused, and why. */
  lost(): { lost: number; compacted: number; replaced: number } {
    const missing = this.numbers.written.filter(({ number }) => !this.listener.told.has(number));
    const excuses = missing.map(({ number }) =>
      this.#excuses.find(
        ({ above, upTo, at }) =>
          number > above && number <= upTo && this.listener.resyncs.some((told) => told >= at),
      ),
    );
    const count = (why: Excuse['why']): number => excuses.filter((excuse) => excuse?.why === why).length;
    return { lost: missing.length, compacted: count('compacted'), replaced: count('replaced') };
  }
}
