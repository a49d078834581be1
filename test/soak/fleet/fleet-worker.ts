import { performance } from 'node:perf_hooks';
import { ReplaySubject, Subject } from 'rxjs';
import { natsPublisher, type PublisherStatus } from '../../../src/adapters/nats/nats-publisher.js';
import type { ActiveLoad } from '../../../src/core/events/fleet-event.js';
import { loadMessages } from '../../../src/dynamo/publishing/load-messages.js';
import { registerWorker, type WorkerStatus } from '../../../src/fleet/register-worker.js';
import { seededRandom } from '../../../src/simulator/simulated-worker.js';
import { eventually } from '../../support/eventually.js';
import { PUBLISHER } from '../nats/nats-stage.js';
import { THRESHOLD, type WorkerLifetime, type WorkerPlan } from './worker-plan.js';

const now = performance.now.bind(performance);

export const ENDPOINT = { namespace: 'soak', component: 'backend', endpoint: 'generate' };
const PAUSE_MS = 20;
/** How long the keys remain after the process is killed. */
const TTL_SECONDS = 4;
const LEAVES_MS = 60_000;

/** A worker that registers in etcd and publishes its loads on NATS, directly to the servers. */
export class FleetWorker {
  /** The last published blocks of each rank. */
  readonly blocks: number[];
  readonly lifetime: WorkerLifetime;
  registration: WorkerStatus | null = null;
  publisher: PublisherStatus | null = null;
  readonly #random;
  readonly #loads$ = new Subject<ActiveLoad>();
  readonly #stop$ = new ReplaySubject<void>(1);
  #turn = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(readonly plan: WorkerPlan) {
    const { workerId, publisherId, release: release, totalKvBlocks, ranks } = plan;
    this.#random = seededRandom(plan.seed);
    this.blocks = Array.from({ length: ranks }, () => 0);
    this.lifetime = { publisherId, beganAt: now(), endedAt: null, count: null };
    registerWorker({
      etcd: plan.etcd,
      ...ENDPOINT,
      transport: { kind: 'tcp', address: '127.0.0.1:9/generate' },
      card: { model: 'soak', runtimeConfig: { totalKvBlocks, dataParallelSize: ranks } },
      release,
      workerId,
      ttlSeconds: TTL_SECONDS,
      stop$: this.#stop$,
    }).subscribe((status) => (this.registration = status));
    this.#loads$
      .pipe(
        loadMessages({ endpoint: ENDPOINT, as: 'worker', release, publisherId }),
        natsPublisher({
          servers: plan.nats,
          auth: { user: PUBLISHER.user, password: PUBLISHER.pass },
        }),
      )
      .subscribe((status) => (this.publisher = status));
  }

  get ready(): boolean {
    return this.registration?.state === 'registered' && this.publisher?.state === 'live';
  }

  get busy(): boolean {
    return this.blocks.every((blocks) => blocks > THRESHOLD * this.plan.totalKvBlocks);
  }

  /** Starts to publish loads of one rank after the other. */
  start(): void {
    this.#timer = setInterval(() => {
      this.#turn += 1;
      this.publish(this.#turn % this.plan.ranks, this.#random() < 0.5);
    }, PAUSE_MS);
  }

  pause(): void {
    clearInterval(this.#timer);
  }

  /** Publishes new blocks for a rank, above the threshold or not. */
  publish(rank: number, above: boolean): void {
    const { workerId, totalKvBlocks, release } = this.plan;
    const before = this.blocks[rank];
    let blocks = before;
    while (blocks === before) {
      const fraction = above ? THRESHOLD + (1 - THRESHOLD) * this.#random() : THRESHOLD * this.#random();
      blocks = above ? Math.ceil(fraction * totalKvBlocks) : Math.floor(fraction * totalKvBlocks);
    }
    this.blocks[rank] = blocks ?? 0;
    this.#loads$.next({
      workerId,
      dpRank: rank,
      activeDecodeBlocks: blocks ?? 0,
      activePrefillTokens: null,
      kvUsedBlocks: release === '1.6' ? (blocks ?? 0) : null,
    });
  }

  /** Stops publishing, and stores how many messages were numbered. */
  async stopPublishing(): Promise<void> {
    this.pause();
    if (this.lifetime.endedAt !== null) return;
    this.lifetime.endedAt = now();
    this.#loads$.complete();
    await eventually(() => this.publisher?.state === 'ended', LEAVES_MS);
    this.lifetime.count = (this.publisher?.published ?? 0) + (this.publisher?.dropped ?? 0);
  }

  /** Stops publishing, and then leaves in good order. */
  async leave(): Promise<void> {
    await this.stopPublishing();
    this.#stop$.next();
    await eventually(() => this.registration?.state === 'ended', LEAVES_MS);
  }
}
