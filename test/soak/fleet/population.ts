import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { workerId } from '../../../src/core/worker-id.js';
import type { Random } from '../../../src/simulator/simulated-worker.js';
import { eventually } from '../../support/eventually.js';
import { RunningProcess } from '../../support/processes.js';
import { FleetWorker } from './fleet-worker.js';
import type { WorkerLifetime, WorkerPlan } from './worker-plan.js';

/** A worker in its own process. */
interface Killable {
  readonly child: RunningProcess;
  readonly lifetime: WorkerLifetime;
}

const now = performance.now.bind(performance);
const RESIDENTS = 4;
const READY_MS = 60_000;

/** The workers of a fleet: some stay, some join and leave in good order, and some run in processes that are killed. */
export class Population {
  /** The present workers, without those that are leaving or that will be killed. */
  readonly workers: FleetWorker[] = [];
  readonly lifetimes: WorkerLifetime[] = [];
  joined = 0;
  left = 0;
  readonly killed: WorkerLifetime[] = [];
  readonly #leaving: Promise<void>[] = [];
  #stopped = false;
  #changing: Promise<void> = Promise.resolve();

  constructor(
    private readonly servers: Pick<WorkerPlan, 'etcd' | 'nats'>,
    private readonly random: Random,
  ) {
    for (let count = 0; count < RESIDENTS; count += 1) this.#join();
  }

  /** Waits until all present workers are registered and can publish. */
  async ready(): Promise<void> {
    await eventually(() => this.workers.every(({ ready }) => ready), READY_MS);
  }

  /** Starts publishing. From now on, workers join, leave and are killed. */
  start(): void {
    for (const worker of this.workers) worker.start();
    this.#changing = this.#change();
  }

  /** Stops joining and leaving, and waits until leaving workers have left. */
  async settle(): Promise<void> {
    this.#stopped = true;
    await this.#changing;
    await Promise.all(this.#leaving);
  }

  async leave(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.leave()));
  }

  async #change(): Promise<void> {
    while (!this.#stopped) {
      await this.#pause();
      this.#join().start();
      const child = this.#startProcess();
      await this.#pause();
      const [worker] = this.workers.splice(RESIDENTS, 1);
      if (worker !== undefined) this.#leaving.push(worker.leave());
      this.left += 1;
      await this.#pause();
      await this.#kill(child);
    }
  }

  #pause(): Promise<void> {
    return sleep(1_000 + 2_000 * this.random());
  }

  #join(): FleetWorker {
    const worker = new FleetWorker(this.#plan());
    this.workers.push(worker);
    this.lifetimes.push(worker.lifetime);
    return worker;
  }

  #startProcess(): Killable {
    const plan = this.#plan();
    const lifetime: WorkerLifetime = {
      publisherId: plan.publisherId,
      beganAt: now(),
      endedAt: null,
      count: null,
    };
    this.lifetimes.push(lifetime);
    const program = join(import.meta.dirname, 'worker-process.js');
    const child = new RunningProcess(process.execPath, [program, JSON.stringify(plan)], {
      openInput: true,
      showErrors: true,
    });
    return { child, lifetime };
  }

  async #kill({ child, lifetime }: Killable): Promise<void> {
    await child.end('SIGKILL');
    lifetime.endedAt = now();
    this.killed.push(lifetime);
  }

  #plan(): WorkerPlan {
    this.joined += 1;
    const release = this.joined % 3 === 0 ? '1.0' : '1.6';
    const id = workerId(String(2n ** 62n + BigInt(this.joined)));
    return {
      ...this.servers,
      workerId: id,
      publisherId: release === '1.0' ? id : String(2n ** 63n + BigInt(this.joined)),
      release,
      totalKvBlocks: 1_000 + 10 * this.joined,
      ranks: 2,
      seed: Math.floor(this.random() * 2 ** 32),
    };
  }
}
