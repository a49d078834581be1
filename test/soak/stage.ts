import { performance } from 'node:perf_hooks';
import type { Random } from '../../src/simulator/simulated-worker.js';
import { eventually } from '../support/eventually.js';
import type { FaultProxy } from '../support/fault-proxy.js';
import type { Ear } from './ear.js';
import type { ProcessWatch } from './process-watch.js';
import type { SteppedClock } from './stepped-clock.js';

const now = performance.now.bind(performance);

/** What faults do to a server. */
export interface FaultyServer {
  kill(): Promise<void>;
  restart(): Promise<void>;
  pause(): Promise<void>;
  resume(): void;
  stop(): Promise<void>;
}

/** When a fault began and when it was healed. */
export interface FaultTime {
  began: number;
  healed: number;
}

/** Where a fault plays: a server, a proxy in front of it, and one who listens through it. */
export abstract class Stage<Server extends FaultyServer = FaultyServer, Listener extends Ear = Ear> {
  /** All that were made so far; the last one is the fault at hand. */
  readonly times: FaultTime[] = [];
  #mark = 0;

  constructor(
    readonly server: Server,
    readonly proxy: FaultProxy,
    readonly listener: Listener,
    readonly clock: SteppedClock,
    readonly random: Random,
  ) {}

  /** One more who listens through the proxy. */
  abstract listen(): Ear;

  /** When the fault at hand began. */
  get began(): number {
    return this.times.at(-1)?.began ?? 0;
  }

  /** The fault begins now. */
  begin(): void {
    this.#mark = this.listener.statuses.length;
    const at = now();
    this.times.push({ began: at, healed: at });
  }

  heal(): void {
    const time = this.times.at(-1);
    if (time !== undefined) time.healed = now();
  }

  /** Waits until the listener has noticed. */
  async down(): Promise<void> {
    await this.listener.until('down', this.#mark);
  }

  /** Waits until it has been live for a moment: a fault that meets it between two connections is not noticed. */
  async steady(): Promise<void> {
    await eventually(() => this.listener.steady, 30_000);
  }

  /** Waits until it is live after all that, and says how long both took. */
  async outcome(): Promise<{ detectMs: number | null; healMs: number | null }> {
    const since = (): readonly { state: string; at: number }[] => this.listener.statuses.slice(this.#mark);
    await eventually(() => this.listener.live, 30_000);
    const { began = 0, healed = 0 } = this.times.at(-1) ?? {};
    const down = since().find(({ state }) => state === 'down');
    const live = since().find(({ state, at }) => state === 'live' && at >= Math.max(healed, down?.at ?? 0));
    return {
      detectMs: down === undefined ? null : down.at - began,
      healMs: live === undefined ? null : live.at - healed,
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

  /** Ends all of it once nobody listens any more, and says what was left behind. */
  takeDown(watch: ProcessWatch): Promise<string[]> {
    return watch.leaks(() => this.close());
  }

  async close(): Promise<void> {
    await eventually(() => this.proxy.connections === 0, 10_000);
    await this.proxy.stop();
    await this.server.stop();
    this.clock.restore();
  }
}
