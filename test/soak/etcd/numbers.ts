import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../../src/simulator/simulated-worker.js';
import type { EtcdGateway } from '../../support/etcd-gateway.js';

/** A written number. */
export interface Written {
  readonly number: number;
  readonly key: string;
  readonly revision: bigint;
}

const KEYS = 8;
const PAUSE_MS = 20;

/** Writes increasing numbers to a few keys, directly to the server, and keeps which writes succeeded. */
export class Numbers {
  static readonly prefix = 'soak/numbers/';
  readonly written: Written[] = [];
  #next = 0;
  #stopped = false;
  #paused = false;
  #idle = false;
  readonly #done: Promise<void>;

  constructor(
    readonly gateway: EtcdGateway,
    private readonly random: Random,
  ) {
    this.#done = this.#run();
  }

  /** Stops writing. Resolves when no write is in progress. */
  async pause(): Promise<void> {
    this.#paused = true;
    while (!this.#idle) await sleep(5);
  }

  resume(): void {
    this.#paused = false;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#idle = this.#paused;
      if (!this.#paused) await this.#writeOne();
      await sleep(PAUSE_MS * 2 * this.random());
    }
  }

  async #writeOne(): Promise<void> {
    const key = `${Numbers.prefix}${Math.floor(KEYS * this.random())}`;
    if (this.random() < 0.08) {
      await this.gateway.delete(key).catch(() => undefined);
      return;
    }
    this.#next += 1;
    const number = this.#next;
    const revision = await this.gateway
      .put(key, String(number))
      .catch(() => this.#writtenRevision(key, String(number)));
    if (revision !== null) this.written.push({ number, key, revision: BigInt(revision) });
  }

  /** The revision of a number whose response was lost, or `null` if it was not written. No other process writes the key. */
  async #writtenRevision(key: string, text: string): Promise<string | null> {
    for (;;) {
      try {
        const [found] = await this.gateway.get(key);
        return found !== undefined && Buffer.from(found.value).toString() === text ? found.modRevision : null;
      } catch {
        await sleep(50);
      }
    }
  }
}
