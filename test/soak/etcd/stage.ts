import { performance } from 'node:perf_hooks';
import type { Random } from '../../../src/simulator/random.js';
import type { EtcdServer } from '../../support/etcd-server.js';
import { eventually } from '../../support/eventually.js';
import type { FaultProxy } from '../../support/fault-proxy.js';
import type { Listener } from './listener.js';
import type { Numbers } from './numbers.js';

const now = performance.now.bind(performance);

/** Numbers that may be missing: gone from the server, if a resync says so after the fault began. */
interface Excuse {
  readonly above: number;
  readonly upTo: number;
  readonly why: 'compacted' | 'replaced';
  readonly at: number;
}

/** Where a fault plays. */
export class Stage {
  /** When the fault at hand began and when it was healed. */
  began = 0;
  healed = 0;
  #mark = 0;
  readonly #excuses: Excuse[] = [];

  constructor(
    readonly server: EtcdServer,
    readonly proxy: FaultProxy,
    readonly numbers: Numbers,
    readonly listener: Listener,
    readonly clock: { stepMs: number },
    readonly random: Random,
  ) {}

  get hosts(): string {
    return `http://127.0.0.1:${this.proxy.port}`;
  }

  /** The fault begins now. */
  begin(): void {
    this.#mark = this.listener.statuses.length;
    this.began = now();
    this.healed = this.began;
  }

  heal(): void {
    this.healed = now();
  }

  /** Waits until the listener has noticed. */
  async down(): Promise<void> {
    await this.listener.until('down', this.#mark);
  }

  /** Waits until it is live after all that, and says how long both took. */
  async outcome(): Promise<{ detectMs: number | null; healMs: number | null }> {
    const since = (): readonly { state: string; at: number }[] => this.listener.statuses.slice(this.#mark);
    await eventually(() => this.listener.live, 30_000);
    const down = since().find(({ state }) => state === 'down');
    const live = since().find(
      ({ state, at }) => state === 'live' && at >= Math.max(this.healed, down?.at ?? 0),
    );
    return {
      detectMs: down === undefined ? null : down.at - this.began,
      healMs: live === undefined ? null : live.at - this.healed,
    };
  }

  /** Cuts all connections and lets nobody in. */
  async shut(): Promise<void> {
    this.begin();
    await this.proxy.refuse(true);
    this.proxy.cut();
    await this.down();
  }

  async open(): Promise<void> {
    this.heal();
    await this.proxy.refuse(false);
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
