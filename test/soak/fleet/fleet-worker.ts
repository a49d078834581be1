import { performance } from 'node:perf_hooks';
import { ReplaySubject, Subject } from 'rxjs';
import { registerWorker } from '../../../src/adapters/etcd/register-worker.js';
import type { RegistrationStatus } from '../../../src/adapters/etcd/registration.js';
import { natsPublisher, type PublisherStatus } from '../../../src/adapters/nats/nats-publisher.js';
import type { ActiveLoad } from '../../../src/core/events/fleet-event.js';
import { seededRandom } from '../../../src/simulator/simulated-worker.js';
import { eventually } from '../../support/eventually.js';
import { PUBLISHER } from '../nats/nats-stage.js';
import { MARK, type WorkerLife, type WorkerPlan } from './worker-plan.js';

const now = performance.now.bind(performance);

export const PLACE = { namespace: 'soak', component: 'backend', endpoint: 'generate' };
const PAUSE_MS = 20;
/** After an end of the process its keys stay so long. */
const TTL_SECONDS = 4;
const LEAVES_MS = 60_000;

/** A worker that is registered in etcd and publishes its loads on NATS, past the faults. */
export class FleetWorker {
  /** The blocks that each rank said last. */
  readonly blocks: number[];
  readonly life: WorkerLife;
  registration: RegistrationStatus | null = null;
  publisher: PublisherStatus | null = null;
  readonly #random;
  readonly #loads$ = new Subject<ActiveLoad>();
  readonly #stop$ = new ReplaySubject<void>(1);
  #turn = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(readonly plan: WorkerPlan) {
    const { workerId, publisherId, generation: release, totalKvBlocks, ranks } = plan;
    this.#random = seededRandom(plan.seed);
    this.blocks = Array.from({ length: ranks }, () => 0);
    this.life = { publisherId, beganAt: now(), endedAt: null, count: null };
    registerWorker({
      hosts: plan.etcd,
      ...PLACE,
      transport: { kind: 'tcp', address: '127.0.0.1:9/generate' },
      card: { model: 'soak', runtimeConfig: { totalKvBlocks, dataParallelSize: ranks } },
      release,
      workerId,
      ttlSeconds: TTL_SECONDS,
      stop$: this.#stop$,
    }).subscribe((status) => (this.registration = status));
    this.#loads$
      .pipe(
        natsPublisher({
          servers: plan.nats,
          auth: { user: PUBLISHER.user, password: PUBLISHER.pass },
          endpoint: PLACE,
          as: 'worker',
          release,
          publisherId,
        }),
      )
      .subscribe((status) => (this.publisher = status));
  }

  get ready(): boolean {
    return this.registration?.state === 'registered' && this.publisher?.state === 'live';
  }

  get busy(): boolean {
    return this.blocks.every((blocks) => blocks > MARK * this.plan.totalKvBlocks);
  }

  /** Says something of one rank after the other from now on. */
  begin(): void {
    this.#timer = setInterval(() => {
      this.#turn += 1;
      this.say(this.#turn % this.plan.ranks, this.#random() < 0.5);
    }, PAUSE_MS);
  }

  pause(): void {
    clearInterval(this.#timer);
  }

  /** A rank has other blocks than before, above the mark or not. */
  say(rank: number, above: boolean): void {
    const { workerId, totalKvBlocks, generation } = this.plan;
    const before = this.blocks[rank];
    let blocks = before;
    while (blocks === before) {
      const part = above ? MARK + (1 - MARK) * this.#random() : MARK * this.#random();
      blocks = above ? Math.ceil(part * totalKvBlocks) : Math.floor(part * totalKvBlocks);
    }
    this.blocks[rank] = blocks ?? 0;
    this.#loads$.next({
      workerId,
      dpRank: rank,
      activeDecodeBlocks: blocks ?? 0,
      activePrefillTokens: null,
      kvUsedBlocks: generation === '1.6' ? (blocks ?? 0) : null,
    });
  }

  /** Is silent from now on, and knows how many messages it numbered. */
  async silence(): Promise<void> {
    this.pause();
    if (this.life.endedAt !== null) return;
    this.life.endedAt = now();
    this.#loads$.complete();
    await eventually(() => this.publisher?.state === 'ended', LEAVES_MS);
    this.life.count = (this.publisher?.published ?? 0) + (this.publisher?.dropped ?? 0);
  }

  /** Is silent, and then leaves in order. */
  async leave(): Promise<void> {
    await this.silence();
    this.#stop$.next();
    await eventually(() => this.registration?.state === 'ended', LEAVES_MS);
  }
}
