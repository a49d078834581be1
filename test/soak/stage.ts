import { performance } from 'node:perf_hooks';
import type { Random } from '../../src/simulator/simulated-worker.js';
import { eventually } from '../support/eventually.js';
import type { FaultProxy } from '../support/fault-proxy.js';
import type { SourceListener } from './source-listener.js';
import type { ProcessWatch } from './process-watch.js';
import type { SteppedClock } from './stepped-clock.js';

const now = performance.now.bind(performance);

/** A server on which faults can act. */
export interface FaultyServer {
  kill(): Promise<void>;
  restart(): Promise<void>;
  pause(): Promise<void>;
  resume(): void;
  stop(): Promise<void>;
}

/** The start and the healing of a fault. */
export interface FaultTime {
  began: number;
  healed: number;
}

/** The environment of a fault: a server, a proxy in front of it, and a listener behind the proxy. */
export abstract class Stage<
  Server extends FaultyServer = FaultyServer,
  Listener extends SourceListener = SourceListener,
> {
  /** The times of all faults so far. The last one is the current fault. */
  readonly times: FaultTime[] = [];
  #statusesBefore = 0;

  constructor(
    readonly server: Server,
    readonly proxy: FaultProxy,
    readonly listener: Listener,
    readonly clock: SteppedClock,
    readonly random: Random,
  ) {}

  /** Creates another listener behind the proxy. */
  abstract listen(): SourceListener;

  /** The start of the current fault. */
  get began(): number {
    return this.times.at(-1)?.began ?? 0;
  }

  /** Records the start of a fault. */
  begin(): void {
    this.#statusesBefore = this.listener.statuses.length;
    const at = now();
    this.times.push({ began: at, healed: at });
  }

  /** Records the healing of the current fault. */
  heal(): void {
    const time = this.times.at(-1);
    if (time !== undefined) time.healed = now();
  }

  /** Waits until the listener has detected the fault. */
  async down(): Promise<void> {
    await this.listener.until('down', this.#statusesBefore);
  }

  /** Waits until the listener is live for some time: a fault between two connections cannot be detected. */
  async steady(): Promise<void> {
    await eventually(() => this.listener.steady, 30_000);
  }

  /** Waits until the listener is live again, and returns both durations. */
  async outcome(): Promise<{ detectMs: number | null; healMs: number | null }> {
    const since = (): readonly { state: string; at: number }[] =>
      this.listener.statuses.slice(this.#statusesBefore);
    await eventually(() => this.listener.live, 30_000);
    const { began = 0, healed = 0 } = this.times.at(-1) ?? {};
    const down = since().find(({ state }) => state === 'down');
    const live = since().find(({ state, at }) => state === 'live' && at >= Math.max(healed, down?.at ?? 0));
    return {
      detectMs: down === undefined ? null : down.at - began,
      healMs: live === undefined ? null : live.at - healed,
    };
  }

  /** Closes all connections and refuses new ones. */
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

  /** Ends everything after the listeners have ended, and returns what was left behind. */
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
