import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { workerId } from '../../../src/core/worker-id.js';
import type { Random } from '../../../src/simulator/simulated-worker.js';
import { eventually } from '../../support/eventually.js';
import { FleetWorker } from './fleet-worker.js';
import type { WorkerLife, WorkerPlan } from './worker-plan.js';

/** A worker in a process of its own. */
interface Killable {
  readonly child: ChildProcess;
  readonly life: WorkerLife;
}

const now = performance.now.bind(performance);
const RESIDENTS = 4;
const READY_MS = 60_000;

/** The workers of a fleet: some stay, others come and go in order, and some come in processes that are killed. */
export class Population {
  /** Those that are there; not those that are leaving, or that will be killed. */
  readonly workers: FleetWorker[] = [];
  readonly lives: WorkerLife[] = [];
  came = 0;
  went = 0;
  readonly killed: WorkerLife[] = [];
  readonly #leaving: Promise<void>[] = [];
  #stopped = false;
  #changing: Promise<void> = Promise.resolve();

  constructor(
    private readonly where: Pick<WorkerPlan, 'etcd' | 'nats'>,
    private readonly random: Random,
  ) {
    for (let left = RESIDENTS; left > 0; left -= 1) this.#come();
  }

  /** Waits until all who are there are registered and can publish. */
  async ready(): Promise<void> {
    await eventually(() => this.workers.every(({ ready }) => ready), READY_MS);
  }

  /** All speak, and from now on some come, some go, and some are killed. */
  begin(): void {
    for (const worker of this.workers) worker.begin();
    this.#changing = this.#change();
  }

  /** Nobody comes or goes any more, and who was leaving has left. */
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
      this.#come().begin();
      const child = this.#startProcess();
      await this.#pause();
      const [worker] = this.workers.splice(RESIDENTS, 1);
      if (worker !== undefined) this.#leaving.push(worker.leave());
      this.went += 1;
      await this.#pause();
      await this.#kill(child);
    }
  }

  #pause(): Promise<void> {
    return sleep(1_000 + 2_000 * this.random());
  }

  #come(): FleetWorker {
    const worker = new FleetWorker(this.#plan());
    this.workers.push(worker);
    this.lives.push(worker.life);
    return worker;
  }

  #startProcess(): Killable {
    const plan = this.#plan();
    const life: WorkerLife = {
      publisherId: plan.publisherId,
      beganAt: now(),
      endedAt: null,
      count: null,
    };
    this.lives.push(life);
    const program = join(import.meta.dirname, 'worker-process.js');
    const child = spawn(process.execPath, [program, JSON.stringify(plan)], {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    return { child, life };
  }

  async #kill({ child, life }: Killable): Promise<void> {
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
    life.endedAt = now();
    this.killed.push(life);
  }

  #plan(): WorkerPlan {
    this.came += 1;
    const generation = this.came % 3 === 0 ? '1.0' : '1.6';
    const id = workerId(String(2n ** 62n + BigInt(this.came)));
    return {
      ...this.where,
      workerId: id,
      publisherId: generation === '1.0' ? id : String(2n ** 63n + BigInt(this.came)),
      generation,
      totalKvBlocks: 1_000 + 10 * this.came,
      ranks: 2,
      seed: Math.floor(this.random() * 2 ** 32),
    };
  }
}
